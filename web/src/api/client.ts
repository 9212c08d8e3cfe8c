// One request to /api/v1: JSON in and out, the CSRF header on writes, If-Match and Idempotency-Key, problems thrown.
import { networkProblem, problemFrom } from './problems'

const ROOT = '/api/v1'

export interface Options {
  query?: Record<string, string | number | boolean | null | undefined>
  body?: unknown
  /** Version of the item being changed; sent as If-Match. */
  version?: number | string
  /** Marks a creation that must not happen twice; one is made for each POST when not given. */
  idempotencyKey?: string
  signal?: AbortSignal
}

let csrfToken = ''
let onSignedOut: () => void = () => undefined

/** The token that came with the sign-in; every write carries it. */
export function setCsrfToken(token: string): void {
  csrfToken = token
}

/** Called when the api says that the sign-in is no more (ended elsewhere, expired). */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then
}

export const get = <T>(path: string, options: Options = {}) => request<T>('GET', path, options)
export const post = <T>(path: string, options: Options = {}) => request<T>('POST', path, options)
export const patch = <T>(path: string, options: Options = {}) => request<T>('PATCH', path, options)
export const put = <T>(path: string, options: Options = {}) => request<T>('PUT', path, options)
export const remove = <T = void>(path: string, options: Options = {}) => request<T>('DELETE', path, options)

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const answer = await send(method, path, options)
  const body = await bodyOf(answer)
  if (answer.ok) return body as T
  if (answer.status === 401 && !path.startsWith('/sign-ins')) onSignedOut()
  throw problemFrom(answer.status, body)
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const init: RequestInit = {
    method,
    headers: headersFor(method, options),
    credentials: 'same-origin',
  }
  if (options.body !== undefined) {
    init.body = options.body instanceof FormData ? options.body : JSON.stringify(options.body)
  }
  if (options.signal) init.signal = options.signal
  try {
    return await fetch(ROOT + path + queryString(options.query), init)
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw networkProblem()
  }
}

function headersFor(method: string, options: Options): Headers {
  const headers = new Headers({ Accept: 'application/json' })
  if (options.body !== undefined && !(options.body instanceof FormData)) {
    headers.set('Content-Type', 'application/json')
  }
  if (method !== 'GET') headers.set('X-CSRF-Token', csrfToken)
  if (method === 'POST') headers.set('Idempotency-Key', options.idempotencyKey ?? crypto.randomUUID())
  if (options.version !== undefined) headers.set('If-Match', `"${options.version}"`)
  return headers
}

async function bodyOf(answer: Response): Promise<unknown> {
  if (answer.status === 204) return undefined
  const text = await answer.text()
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function queryString(query: Options['query']): string {
  const given = Object.entries(query ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  )
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : ''
}
