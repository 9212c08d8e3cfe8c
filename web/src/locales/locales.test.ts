// Both languages have the same keys and the same gaps to fill, and everything the house names has its word.
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createI18n } from 'vue-i18n'
import { en } from './en'
import { zhCN } from './zh-CN'

interface Tree {
  [key: string]: string | Tree
}

function leaves(tree: Tree, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    const path = prefix ? `${prefix}.${key}` : key
    if (typeof value === 'string') found.set(path, value)
    else for (const [inner, text] of leaves(value, path)) found.set(inner, text)
  }
  return found
}

const chinese = leaves(zhCN)
const english = leaves(en)
const gaps = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort()

describe('the two languages', () => {
  it('have the same keys', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  it('fill the same gaps', () => {
    for (const [key, text] of chinese) expect(gaps(english.get(key) ?? ''), key).toEqual(gaps(text))
  })

  it('leave nothing empty, and no Chinese in the English', () => {
    for (const [key, text] of english) {
      expect(text.trim(), key).not.toBe('')
      expect(text, key).not.toMatch(/\p{Script=Han}/u)
    }
    for (const [key, text] of chinese) expect(text.trim(), key).not.toBe('')
  })

  it('use Chinese punctuation after Chinese', () => {
    for (const [key, text] of chinese) expect(text, key).not.toMatch(/\p{Script=Han}[,:;(]/u)
  })

  it('can all be compiled', () => {
    const i18n = createI18n({
      legacy: false,
      locale: 'en',
      messages: { en, 'zh-CN': zhCN },
      missingWarn: true,
    })
    for (const key of chinese.keys()) {
      expect(i18n.global.t(key, { n: 2 }, { locale: 'en' }), key).not.toBe(key)
      expect(i18n.global.t(key, { n: 2 }, { locale: 'zh-CN' }), key).not.toBe(key)
    }
  })
})

/** The members of a StrEnum in a Python file of the house. */
function members(path: string, name: string): string[] {
  const python = readFileSync(resolve(import.meta.dirname, '../../..', path), 'utf8')
  const list =
    new RegExp(`class ${name}\\(StrEnum\\):([\\s\\S]*?)\\n(?:class|@|[A-Z])`).exec(python)?.[1] ?? ''
  return [...list.matchAll(/^ {4}(\w+) = /gm)].map((match) => match[1] ?? '')
}

describe.each([
  ['domain/refusals.py', 'RefusalCode', 'problems', 40],
  ['teaching/rows.py', 'RowCode', 'import.codes', 20],
  ['teaching/columns.py', 'Column', 'import.columns', 9],
  ['domain/states.py', 'SessionState', 'session_states', 8],
  ['domain/states.py', 'RecordingState', 'recording_states', 6],
  ['domain/states.py', 'CourseState', 'course_states', 6],
  ['domain/states.py', 'WorkState', 'work.states', 4],
  ['domain/kinds.py', 'Role', 'roles', 11],
  ['domain/kinds.py', 'SessionKind', 'session_kinds', 2],
  ['domain/kinds.py', 'Audience', 'audiences', 2],
])('the words of %s: %s', (path, name, prefix, least) => {
  it('are there for each of them', () => {
    const found = members(path, name)
    expect(found.length).toBeGreaterThanOrEqual(least)
    for (const member of found) expect(chinese.has(`${prefix}.${member}`), member).toBe(true)
  })
})

describe.each([
  ['reason', 'import.reasons', 8],
  ['limit', 'import.limits', 7],
])('the words of why a file is no timetable: %s', (fact, prefix, least) => {
  it('are there for each that the house gives', () => {
    const folder = resolve(import.meta.dirname, '../../../teaching')
    const files = readdirSync(folder).filter((name) => name.endsWith('.py'))
    const python = files.map((name) => readFileSync(resolve(folder, name), 'utf8')).join('\n')
    const found = new Set(
      [...python.matchAll(new RegExp(`[( ]${fact}="(\\w+)"`, 'g'))].map((match) => match[1]),
    )
    expect(found.size).toBeGreaterThanOrEqual(least)
    for (const one of found) expect(chinese.has(`${prefix}.${one}`), one).toBe(true)
  })
})
