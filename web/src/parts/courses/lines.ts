// Chapters and references as lines of text, the way people jot them down, and back.
import type { Chapter, Reference } from '@/api/courses'
import { mediaTime } from '@/parts/format/words'

export const chaptersText = (chapters: readonly Chapter[]) =>
  chapters.map((chapter) => `${mediaTime(chapter.at_ms / 1000)} ${chapter.title}`).join('\n')

const CHAPTER = /^(?:(\d+):)?(\d{1,2}):(\d{2})\s+(.+)$/

/** `12:30 课堂提问` or `1:02:30 …`, a line each, in any order. `badLine` is the number of the first that is neither. */
export function chaptersFrom(text: string): { chapters: Chapter[]; badLine: number | null } {
  const chapters: Chapter[] = []
  let badLine: number | null = null
  text.split('\n').forEach((line, index) => {
    if (!line.trim()) return
    const found = CHAPTER.exec(line.trim().replaceAll('\uff1a', ':'))
    if (!found || Number(found[3]) > 59) {
      badLine ??= index + 1
      return
    }
    const [, hours = '0', minutes, seconds, title = ''] = found
    chapters.push({
      at_ms: (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000,
      title: title.trim(),
    })
  })
  return { chapters: chapters.sort((a, b) => a.at_ms - b.at_ms), badLine }
}

export const referencesText = (references: readonly Reference[]) =>
  references.map((reference) => [reference.title, reference.url].filter(Boolean).join(' ')).join('\n')

/** A title and, at the line's end, an address if there is one. */
export function referencesFrom(text: string): Reference[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const url = /https?:\/\/\S+$/.exec(line)?.[0] ?? ''
      const title = line.slice(0, line.length - url.length).trim()
      return { title: title || url, url }
    })
}
