// The client against a fetch that records what it was given: the browser's network is the one thing not run really here.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { get, patch, post, queryString, setCsrfToken, whenSignedOut } from './client'
import { Problem } from './problems'

let answers: Response[] = []
const sent: { url: string; init: RequestInit }[] = []

beforeEach(() => {
  answers = []
  sent.length = 0
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    sent.push({ url, init })
    const answer = answers.shift()
    return answer ? Promise.resolve(answer) : Promise.reject(new TypeError('failed to fetch'))
  })
  setCsrfToken('token')
})
afterEach(() => vi.unstubAllGlobals())

const headers = (index = 0) => new Headers(sent[index]?.init.headers)

describe('a request', () => {
  it('reads JSON and sends no write headers on a read', async () => {
    answers = [Response.json({ id: 1 })]
    expect(await get('/things', { query: { q: '课 堂', none: null, empty: '', page: 0 } })).toEqual({ id: 1 })
    expect(sent[0]?.url).toBe('/api/v1/things?q=%E8%AF%BE+%E5%A0%82&page=0')
    expect(headers().get('X-CSRF-Token')).toBeNull()
    expect(headers().get('Idempotency-Key')).toBeNull()
  })

  it('carries the CSRF token and a fresh idempotency key on each creation', async () => {
    answers = [Response.json({}), Response.json({})]
    await post('/things', { body: { a: 1 } })
    await post('/things', { body: { a: 1 } })
    expect(headers().get('X-CSRF-Token')).toBe('token')
    expect(sent[0]?.init.body).toBe('{"a":1}')
    expect(headers(0).get('Idempotency-Key')).not.toBe(headers(1).get('Idempotency-Key'))
  })

  it('names the version it changes', async () => {
    answers = [Response.json({})]
    await patch('/things/1', { body: {}, version: 7 })
    expect(headers().get('If-Match')).toBe('"7"')
  })

  it('leaves a form its own content type', async () => {
    answers = [Response.json({})]
    await post('/files', { body: new FormData() })
    expect(headers().get('Content-Type')).toBeNull()
  })

  it('has nothing to read after 204', async () => {
    answers = [new Response(null, { status: 204 })]
    expect(await get('/things')).toBeUndefined()
  })
})

describe('a refusal', () => {
  it('is thrown as a problem', async () => {
    answers = [Response.json({ code: 'on_hold', facts: { holds: 1 } }, { status: 409 })]
    await expect(post('/things')).rejects.toMatchObject({ code: 'on_hold', facts: { holds: 1 } })
  })

  it('without a network is one too', async () => {
    await expect(get('/things')).rejects.toEqual(new Problem(0, 'network', '', {}))
  })

  it('tells that the sign-in is gone, but not when signing in itself failed', async () => {
    const gone = vi.fn()
    whenSignedOut(gone)
    answers = [
      Response.json({ code: 'bad_credentials' }, { status: 401 }),
      Response.json({}, { status: 401 }),
    ]
    await expect(post('/sign-ins')).rejects.toMatchObject({ code: 'bad_credentials' })
    expect(gone).not.toHaveBeenCalled()
    await expect(get('/things')).rejects.toBeInstanceOf(Problem)
    expect(gone).toHaveBeenCalledOnce()
  })
})

it('leaves no question mark behind an empty query', () => {
  expect(queryString({ a: undefined, b: null, c: '' })).toBe('')
  expect(queryString({ mine: false })).toBe('?mine=false')
})
