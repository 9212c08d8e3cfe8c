import { describe, expect, it } from 'vitest'
import { calendarDays, localDay, localMidnight, wallClock, wallClockAsUtc } from './zone'

describe('the wall clock of Beijing', () => {
  it('turns the day at 16:00 UTC', () => {
    expect(localDay('2026-11-24T15:59:59Z')).toBe('2026-11-24')
    expect(localDay('2026-11-24T16:00:00Z')).toBe('2026-11-25')
    expect(wallClock('2026-11-29T16:00:00Z')).toMatchObject({ weekday: 1, hour: 0 }) // Monday the 30th
    expect(wallClock('2026-11-29T15:00:00Z')).toMatchObject({ weekday: 7, hour: 23 })
  })

  it('is written for the grid as if it were UTC', () => {
    expect(wallClockAsUtc('2026-11-24T01:05:09Z')).toBe('2026-11-24T09:05:09Z')
  })

  it('has its midnights where Intl has them, through the year', () => {
    for (let month = 0; month < 12; month += 1) {
      const noon = new Date(Date.UTC(2026, month, 15, 4))
      const midnight = localMidnight(noon)
      expect(wallClock(midnight)).toMatchObject({ hour: 0, minute: 0, second: 0, day: 15 })
      expect(localDay(localMidnight(noon, 20))).not.toBe(localDay(noon))
    }
  })

  it('counts days by the calendar, over months and years', () => {
    expect(calendarDays('2026-11-24T15:59:00Z', '2026-11-24T16:01:00Z')).toBe(1)
    expect(calendarDays('2026-02-28T00:00:00Z', '2026-03-01T00:00:00Z')).toBe(1)
    expect(calendarDays('2026-12-31T00:00:00Z', '2027-01-01T00:00:00Z')).toBe(1)
  })
})
