import { describe, expect, it } from 'vitest'
import type { Session } from '@/api/sessions'
import { doorsOf } from './doors'

const START = Date.parse('2026-11-24T09:00:00Z')
const MINUTE = 60_000

const session = (state: Session['state'], may: string[], more: Partial<Session> = {}) =>
  ({
    id: 's',
    state,
    may,
    recording_id: null,
    recording_state: null,
    starts_at: '2026-11-24T09:00:00Z',
    ends_at: '2026-11-24T10:00:00Z',
    ...more,
  }) as Session
const names = (of: Session, now = START, certificates = false) =>
  doorsOf(of, now, certificates).map((door) => door.name)

it('takes the instructor to the session first', () => {
  expect(names(session('scheduled', ['session_publish', 'session_play']))).toEqual([
    'open-session',
    'watch-session',
  ])
})

it('takes a reviewer to the desk first, where there is something to review ahead', () => {
  const held = session('live', ['session_control', 'session_play'], { delay_seconds: 5 })
  expect(names(held)).toEqual(['review-session', 'open-session', 'watch-session'])
  expect(names({ ...held, delay_seconds: 0 })).toEqual(['open-session', 'watch-session'])
  expect(names({ ...held, may: ['session_publish', 'session_control'] })).toEqual(['open-session'])
})

it('takes a learner to the live page, then to the replay', () => {
  expect(names(session('live', ['session_play']))).toEqual(['watch-session'])
  expect(doorsOf(session('cut', ['session_play']), START)[0]?.words).toBeUndefined()
  const stored = { recording_id: 'r', recording_state: 'stored' } as const
  expect(names(session('ended', ['session_play'], stored))).toEqual(['replay-session'])
  expect(names(session('ended', ['session_play']))).toEqual([])
})

it('offers a class that is not live only when it can begin any moment, and says so', () => {
  const coming = session('scheduled', ['session_play'])
  expect(names(coming, START - 3 * 24 * 60 * MINUTE)).toEqual([])
  expect(names(coming, START - 15 * MINUTE - 1)).toEqual([])
  expect(doorsOf(coming, START - 15 * MINUTE)[0]).toMatchObject({
    name: 'watch-session',
    words: 'watch-soon',
  })
  expect(names(coming, START + 89 * MINUTE)).toEqual(['watch-session'])
  expect(names(coming, START + 90 * MINUTE)).toEqual([])
  expect(names(session('filed', ['session_play']))).toEqual([])
})

describe('a recording that was purged', () => {
  it('is not offered; whoever may sees its certificate', () => {
    const purged = session('ended', ['session_play'], { recording_id: 'r', recording_state: 'purged' })
    expect(names(purged)).toEqual([])
    expect(names(purged, START, true)).toEqual(['certificate-session'])
  })

  it('has no certificate while it is being purged', () => {
    const purging = session('ended', [], { recording_id: 'r', recording_state: 'purging' })
    expect(names(purging, START, true)).toEqual([])
  })
})

it('leads nowhere from what is cancelled or not permitted', () => {
  expect(names(session('cancelled', ['session_publish', 'session_play']))).toEqual([])
  expect(names(session('live', []))).toEqual([])
})
