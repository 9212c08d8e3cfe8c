import { describe, expect, it } from 'vitest'
import type { Recording } from '@/api/recordings'
import { keepingOf } from './expiry'

const base: Pick<
  Recording,
  'state' | 'expires_at' | 'ended_at' | 'started_at' | 'holds' | 'purge_begins_at'
> = {
  state: 'stored',
  started_at: '2026-05-24T00:00:00Z',
  ended_at: '2026-05-24T02:00:00Z',
  expires_at: '2026-11-24T02:00:00Z', // 10:00 in Beijing
  holds: [],
  purge_begins_at: null,
}
const hold = { id: 'h', reason: 'r', placed_by: null, placed_at: '2026-06-01T00:00:00Z' }
const at = (text: string) => Date.parse(text)

describe('how long a recording is kept', () => {
  it('counts calendar days in Beijing, whatever the hour', () => {
    expect(keepingOf(base, at('2026-11-22T16:01:00Z'))).toMatchObject({ kind: 'counting', daysLeft: 1 }) // 00:01 on the 23rd
    expect(keepingOf(base, at('2026-11-22T15:59:00Z'))).toMatchObject({ kind: 'counting', daysLeft: 2 }) // 23:59 on the 22nd
    expect(keepingOf(base, at('2026-11-23T16:00:00Z'))).toMatchObject({ kind: 'counting', daysLeft: 0 }) // its last day
  })

  it('draws what is left as a share of the whole time', () => {
    expect(keepingOf(base, at('2026-05-24T02:00:00Z'))).toMatchObject({ share: 1 })
    const half = keepingOf(base, at('2026-08-24T02:00:00Z'))
    expect(half.kind === 'counting' && half.share).toBeCloseTo(0.5, 1)
  })

  it('is near from the first notice on', () => {
    expect(keepingOf(base, at('2026-10-24T20:00:00Z'))).toMatchObject({ daysLeft: 30, near: true })
    expect(keepingOf(base, at('2026-10-24T10:00:00Z'))).toMatchObject({ daysLeft: 31, near: false })
  })

  it('is due from the instant itself', () => {
    expect(keepingOf(base, at('2026-11-24T01:59:59Z'))).toMatchObject({ kind: 'counting' })
    expect(keepingOf(base, at('2026-11-24T02:00:00Z'))).toEqual({ kind: 'due' })
  })

  it('is stopped by a hold, even past its day', () => {
    expect(keepingOf({ ...base, holds: [hold] }, at('2027-01-01T00:00:00Z'))).toEqual({
      kind: 'held',
      holds: 1,
    })
  })

  it('says what else there is', () => {
    const now = at('2026-06-01T00:00:00Z')
    expect(keepingOf({ ...base, state: 'promoted' }, now)).toEqual({ kind: 'kept' })
    expect(keepingOf({ ...base, expires_at: null }, now)).toEqual({ kind: 'kept' })
    expect(keepingOf({ ...base, state: 'capturing', expires_at: null, ended_at: null }, now)).toEqual({
      kind: 'capturing',
    })
    const until = '2026-06-04T00:00:00Z'
    expect(keepingOf({ ...base, state: 'marked', purge_begins_at: until }, now)).toEqual({
      kind: 'marked',
      until,
    })
    expect(keepingOf({ ...base, state: 'marked' }, now)).toEqual({ kind: 'ordered' })
    expect(keepingOf({ ...base, state: 'marked', holds: [hold] }, now)).toEqual({ kind: 'held', holds: 1 })
    expect(keepingOf({ ...base, state: 'purging' }, now)).toEqual({ kind: 'purging' })
    expect(keepingOf({ ...base, state: 'purged', holds: [hold] }, now)).toEqual({ kind: 'purged' })
  })
})
