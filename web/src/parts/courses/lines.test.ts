import { describe, expect, it } from 'vitest'
import { chaptersFrom, chaptersText, questionsFrom, referencesFrom, referencesText } from './lines'

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
      { title: '课程标准 2022', url: 'https://example.org/a' },
      { title: '讨论记录', url: 'http://example.org/b?c=1' },
    ]
    expect(referencesFrom(referencesText(references))).toEqual({ references, badLine: null })
  })

  it('gives a bare address itself as title', () => {
    expect(referencesFrom(' https://example.org/x ').references).toEqual([
      { title: 'https://example.org/x', url: 'https://example.org/x' },
    ])
  })

  it.each(['没有网址', 'javascript:alert(1)', 'https://example.org 写反了'])(
    'names the line without one: %s',
    (line) => {
      expect(referencesFrom(`好 https://example.org\n${line}`).badLine).toBe(2)
    },
  )
})

describe('questions as lines', () => {
  it('reads prompts, choices and the right one', () => {
    expect(questionsFrom('等多久?\n不等\n* 三到五秒\n\n \n何为追问?\n*请说明理由\n换人回答\n')).toEqual({
      questions: [
        { prompt: '等多久?', choices: ['不等', '三到五秒'], answer: 1 },
        { prompt: '何为追问?', choices: ['请说明理由', '换人回答'], answer: 0 },
      ],
      badQuestion: null,
    })
  })

  it.each(['问?\n甲\n乙', '问?\n*甲', '问?\n*甲\n*乙'])(
    'names the question without one right answer among two: %j',
    (text) => {
      expect(questionsFrom(`好?\n*甲\n乙\n\n${text}`).badQuestion).toBe(2)
    },
  )

  it('finds none in nothing', () => {
    expect(questionsFrom(' \n\n')).toEqual({ questions: [], badQuestion: null })
  })
})
