import { describe, expect, it } from 'vitest'
import { networkProblem, Problem, problemFrom, problemWords } from './problems'

const sentences: Record<string, string> = {
  'problems.outside_window': '{opens_at} to {closes_at}',
  'problems.network': 'no network',
  'problems.server': 'server failed',
  'problems.http_503': 'away',
  'problems.unexpected': 'unexpected',
}
const words = {
  te: (key: string) => key in sentences,
  t: (key: string, facts: Record<string, unknown>) =>
    (sentences[key] ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name])),
  instant: (value: string) => `<${value.slice(11, 16)}>`,
}

describe('a problem document', () => {
  it('gives code and facts, wherever they stand', () => {
    const nested = problemFrom(409, { status: 409, code: 'on_hold', detail: 'd', facts: { holds: 2 } })
    expect(nested).toMatchObject({ status: 409, code: 'on_hold', detail: 'd', facts: { holds: 2 } })
    const flat = problemFrom(409, { code: 'on_hold', title: 'Conflict', holds: 2, nested: {} })
    expect(flat).toMatchObject({ detail: 'Conflict', facts: { holds: 2 } })
  })

  it.each([null, undefined, 'a proxy page', 7])('is made up for anything else: %s', (body) => {
    expect(problemFrom(502, body)).toMatchObject({ status: 502, code: 'http_502', facts: {} })
  })
})

describe('the words for a problem', () => {
  it('speak instants in the facts', () => {
    const facts = { opens_at: '2026-11-24T01:00:00Z', closes_at: '2026-11-24T03:00:00Z' }
    expect(problemWords(new Problem(409, 'outside_window', '', facts), words)).toBe('<01:00> to <03:00>')
  })

  it('fall back to the detail, then to the status', () => {
    expect(problemWords(new Problem(409, 'new_code', 'said by the api', {}), words)).toBe('said by the api')
    expect(problemWords(new Problem(503, 'new_code', '', {}), words)).toBe('away')
    expect(problemWords(new Problem(599, 'new_code', '', {}), words)).toBe('server failed')
    expect(problemWords(new Problem(418, 'new_code', '', {}), words)).toBe('unexpected')
  })

  it('cover what is no problem document at all', () => {
    expect(problemWords(networkProblem(), words)).toBe('no network')
    expect(problemWords(new TypeError('x is undefined'), words)).toBe('unexpected')
  })
})
