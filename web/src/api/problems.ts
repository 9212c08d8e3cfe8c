// The api's errors (RFC 9457 problem details) as one typed error, and the words a person reads for them.

export type Facts = Record<string, string | number>

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly facts: Facts,
  ) {
    super(detail || code)
    this.name = 'Problem'
  }
}

const STANDARD_MEMBERS = new Set(['type', 'title', 'status', 'detail', 'instance', 'code', 'facts'])

/** Reads a problem document; anything else (a proxy's page, an empty body) becomes `http_<status>`. */
export function problemFrom(status: number, body: unknown): Problem {
  if (typeof body !== 'object' || body === null) return new Problem(status, `http_${status}`, '', {})
  const document = body as Record<string, unknown>
  const text = (name: string) => (typeof document[name] === 'string' ? (document[name] as string) : '')
  const facts: Facts = {}
  const nested = document['facts']
  const entries = [
    ...Object.entries(document).filter(([name]) => !STANDARD_MEMBERS.has(name)),
    ...(typeof nested === 'object' && nested !== null ? Object.entries(nested) : []),
  ]
  for (const [name, value] of entries) {
    if (typeof value === 'string' || typeof value === 'number') facts[name] = value
  }
  return new Problem(status, text('code') || `http_${status}`, text('detail') || text('title'), facts)
}

/** Whether asking again is of no use: this person may not, or there is no such thing. */
export const isFinal = (error: unknown) =>
  error instanceof Problem && [401, 403, 404, 410].includes(error.status)

export function networkProblem(): Problem {
  return new Problem(0, 'network', '', {})
}

interface Words {
  t: (key: string, facts: Record<string, unknown>) => string
  te: (key: string) => boolean
  /** Writes an instant (RFC 3339) as the reader's words. */
  instant: (value: string) => string
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/

/** What a person reads: the code's own sentence, else the api's detail, else a sentence for its kind of status. */
export function problemWords(error: unknown, words: Words): string {
  if (!(error instanceof Problem)) return words.t('problems.unexpected', {})
  return codeWords(error.code, error.facts, words) ?? (error.detail || statusWords(error.status, words))
}

/** The sentence for a code with its facts, or null when the locale has none. */
export function codeWords(code: string, facts: Facts, words: Words): string | null {
  const key = `problems.${code}`
  if (!words.te(key)) return null
  const spoken = Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      typeof value === 'string' && INSTANT.test(value) ? words.instant(value) : value,
    ]),
  )
  return words.t(key, spoken)
}

function statusWords(status: number, words: Words): string {
  const known = `problems.http_${status}`
  if (words.te(known)) return words.t(known, {})
  return words.t(status >= 500 ? 'problems.server' : 'problems.unexpected', {})
}
