import { describe, expect, it } from 'vitest'
import { mayPass, waitMs } from './retry'
import { retryAfterMs, WhipRefused } from './whip'

const refused = (status: number, code = '', again: number | null = null) =>
  new WhipRefused(status, code ? { code } : null, again)

describe('another try', () => {
  it.each([
    [new TypeError('fetch failed'), true],
    [new DOMException('', 'TimeoutError'), true],
    [new Error('no such codec'), false],
    [refused(503, 'node_full'), true],
    [refused(502), true],
    [refused(507, 'disk_full'), true],
    [refused(429), true],
    [refused(401, 'key_revoked'), false],
    [refused(404, 'not_found'), false],
    [refused(409, 'session_over'), false],
    [refused(422, 'unsupported_codec'), false],
  ] as [unknown, boolean][])('after %s: %s', (error, may) => {
    expect(mayPass(error, 2)).toBe(may)
  })

  it('is let wait for its own former connection to be given up, not for another encoder', () => {
    expect(mayPass(refused(409, 'key_in_use'), 2)).toBe(true)
    expect(mayPass(refused(409, 'key_in_use'), 6)).toBe(false)
  })

  it('comes ever later, and never at the same instant for all', () => {
    const lost = new TypeError()
    expect([1, 2, 3, 4, 5, 50].map((tries) => waitMs(tries, lost, 0.5))).toEqual([
      1000, 2000, 4000, 8000, 15_000, 15_000,
    ])
    expect([waitMs(1, lost, 0), waitMs(1, lost, 1)]).toEqual([750, 1250])
  })

  it('comes when the server asks for it, within reason', () => {
    expect(waitMs(1, refused(503, 'busy', 9000), 0.5)).toBe(9000)
    expect(waitMs(4, refused(503, 'busy', 2000), 0.5)).toBe(8000)
    expect(waitMs(1, refused(503, 'busy', 3_600_000), 0.5)).toBe(60_000)
  })

  it('reads Retry-After as seconds and as a date', () => {
    const now = Date.parse('2026-09-14T02:00:00Z')
    expect(retryAfterMs('7', now)).toBe(7000)
    expect(retryAfterMs('Mon, 14 Sep 2026 02:00:30 GMT', now)).toBe(30_000)
    expect(retryAfterMs('Mon, 14 Sep 2026 01:00:00 GMT', now)).toBe(0)
    expect(retryAfterMs('soon', now)).toBeNull()
    expect(retryAfterMs(null, now)).toBeNull()
  })
})
