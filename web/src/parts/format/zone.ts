// The institute's clock. Timetables and retention are Beijing's, so every time shown is too, wherever the reader sits.

export const ZONE = 'Asia/Shanghai'

export interface WallClock {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  /** Monday is 1, Sunday is 7. */
  weekday: number
}

const PARTS = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE,
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

export function wallClock(instant: string | number | Date): WallClock {
  const found: Record<string, number> = {}
  for (const part of PARTS.formatToParts(new Date(instant))) found[part.type] = Number(part.value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = found
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7
  return { year, month, day, hour, minute, second, weekday }
}

const two = (value: number) => String(value).padStart(2, '0')

/** `2026-11-24` on the institute's calendar. */
export function localDay(instant: string | number | Date): string {
  const { year, month, day } = wallClock(instant)
  return `${year}-${two(month)}-${two(day)}`
}

/** `2026-11-24T09:05:00Z`: the wall clock written as if it were UTC, as the calendar grid wants it. */
export function wallClockAsUtc(instant: string | number | Date): string {
  const { hour, minute, second } = wallClock(instant)
  return `${localDay(instant)}T${two(hour)}:${two(minute)}:${two(second)}Z`
}

// China has had no daylight saving since 1991, so midnight is a fixed offset; a test holds this against Intl.
const OFFSET_MS = 8 * 3_600_000
const DAY_MS = 86_400_000

/** The instant of local midnight, `days` after the day that holds the instant. */
export function localMidnight(instant: string | number | Date, days = 0): Date {
  return new Date(Date.parse(`${localDay(instant)}T00:00:00Z`) - OFFSET_MS + days * DAY_MS)
}

/** Whole calendar days from one instant to another, on the institute's calendar. */
export function calendarDays(from: string | number | Date, to: string | number | Date): number {
  return Math.round((localMidnight(to).getTime() - localMidnight(from).getTime()) / DAY_MS)
}
