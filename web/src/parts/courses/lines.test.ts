import { describe, expect, it } from 'vitest'
import { chaptersFrom, chaptersText, referencesFrom, referencesText } from './lines'

describe('chapters as lines', () => {
  it('reads what it writes', () => {
    const chapters = [
      { at_ms: 0, title: '导入' },
      { at_ms: 750_000, title: '课堂提问' },
      { at_ms: 3_750_000, title: '小结 与 作业' },
    ]
    expect(chaptersFrom(chaptersText(chapters))).toEqual({ chapters, badLine: null })
  })

  it('takes full-width colons, blank lines and any order', () => {
    expect(chaptersFrom('12\uff1a30 二\n\n 0:05 一 ')).toEqual({
      chapters: [
        { at_ms: 5000, title: '一' },
        { at_ms: 750_000, title: '二' },
      ],
      badLine: null,
    })
  })

  it.each(['没有时间', '12:30', '1:75 过了', '12.30 点'])('names the line that is neither: %s', (line) => {
    expect(chaptersFrom(`0:00 好\n${line}`).badLine).toBe(2)
  })
})

describe('references as lines', () => {
  it('reads what it writes', () => {
    const references = [
      { title: '课程标准', url: 'https://example.org/a' },
      { title: '讨论记录', url: '' },
    ]
    expect(referencesFrom(referencesText(references))).toEqual(references)
  })

  it('gives a bare address itself as title, and takes no other scheme', () => {
    expect(referencesFrom('https://example.org/x\njavascript:alert(1)')).toEqual([
      { title: 'https://example.org/x', url: 'https://example.org/x' },
      { title: 'javascript:alert(1)', url: '' },
    ])
  })
})
