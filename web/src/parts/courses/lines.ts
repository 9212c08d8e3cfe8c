// Chapters, references and questions as lines of text, the way people jot them down, and back.
import type { Chapter, Reference, WrittenQuestion } from '@/api/courses'
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

/** A title and, at the line's end, its web address. A line that is the address alone is its own title. */
export function referencesFrom(text: string): { references: Reference[]; badLine: number | null } {
  const references: Reference[] = []
  let badLine: number | null = null
  text.split('\n').forEach((line, index) => {
    const written = line.trim()
    if (!written) return
    const url = /https?:\/\/\S+$/.exec(written)?.[0]
    if (!url) {
      badLine ??= index + 1
      return
    }
    references.push({ title: written.slice(0, written.length - url.length).trim() || url, url })
  })
  return { references, badLine }
}

/** Questions with a blank line between them: the prompt, then a choice each line, the right one marked with `*`. */
export function questionsFrom(text: string): { questions: WrittenQuestion[]; badQuestion: number | null } {
  const blocks = text.split(/\n\s*\n/).map((block) =>
    block
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  )
  const questions: WrittenQuestion[] = []
  let badQuestion: number | null = null
  for (const [prompt, ...choices] of blocks) {
    if (!prompt) continue
    const right = choices.filter((choice) => choice.startsWith('*'))
    if (choices.length < 2 || right.length !== 1) badQuestion ??= questions.length + 1
    questions.push({
      prompt,
      choices: choices.map((choice) => choice.replace(/^\*\s*/, '')),
      answer: choices.findIndex((choice) => choice.startsWith('*')),
    })
  }
  return { questions, badQuestion }
}
