import { expect, it } from 'vitest'
import type { Session } from '@/api/sessions'
import { countdown, pollDelay, sceneOf } from './scene'

const at = (state: Session['state'], recording_id: string | null = null) => ({
  state,
  recording_id,
  starts_at: '2026-11-24T09:00:00Z',
})

it('waits for everything that has not begun', () => {
  expect((['draft', 'filed', 'approved', 'scheduled'] as const).map((state) => sceneOf({ state }))).toEqual(
    Array(4).fill('waiting'),
  )
  expect(sceneOf({ state: 'cut' })).toBe('cut')
})

it('looks often near the beginning and while live, seldom else', () => {
  const start = Date.parse('2026-11-24T09:00:00Z')
  expect(pollDelay(at('scheduled'), start - 3_600_000)).toBe(20_000)
  expect(pollDelay(at('scheduled'), start - 60_000)).toBe(3000)
  expect(pollDelay(at('live'), start)).toBe(4000)
  expect(pollDelay(at('ended'), start)).toBe(5000) // its replay is not there yet
  expect(pollDelay(at('ended', 'r'), start)).toBe(60_000)
})

it('counts down, and stops at nothing', () => {
  expect(countdown(90_061_000, 0)).toEqual({ days: 1, hours: 1, minutes: 1, seconds: 1 })
  expect(countdown(0, 5000)).toEqual({ days: 0, hours: 0, minutes: 0, seconds: 0 })
})
