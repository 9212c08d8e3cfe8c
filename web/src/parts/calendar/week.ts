// The week of the calendar: its borders, and the hours the grid must show. Beijing time.
import type { Session } from '@/api/sessions'
import { localDay, localMidnight, wallClock, wallClockAsUtc } from '@/parts/format/zone'

export interface Week {
  from: Date
  to: Date
  /** Monday as `2026-11-23`. */
  monday: string
}

/** The week (Monday first) that lies `shift` weeks from the instant's. */
export function weekOf(instant: string | number | Date, shift = 0): Week {
  const fromMonday = 1 - wallClock(instant).weekday + 7 * shift
  const from = localMidnight(instant, fromMonday)
  return { from, to: localMidnight(from, 7), monday: localDay(from) }
}

/** The week of a Monday as it stands in an address; null for anything that is no day. Any day of the week will do. */
export function weekFrom(text: unknown): Week | null {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return null
  const noon = new Date(`${text}T04:00:00Z`) // twelve o'clock in Beijing
  return Number.isNaN(noon.getTime()) || localDay(noon) !== text ? null : weekOf(noon)
}

/**
 * The minute of the day at which the grid opens: an hour before now in the week that runs, half an hour before its
 * earliest class in any other; null where there is nothing to look at.
 */
export function openingMinute(
  sessions: readonly Pick<Session, 'starts_at'>[],
  week: Week,
  now: number,
): number | null {
  const minuteOf = (instant: string | number) => {
    const { hour, minute } = wallClock(instant)
    return hour * 60 + minute
  }
  if (now >= week.from.getTime() && now < week.to.getTime()) return Math.max(0, minuteOf(now) - 60)
  if (!sessions.length) return null
  return Math.max(0, Math.min(...sessions.map((one) => minuteOf(one.starts_at))) - 30)
}

export interface Hours {
  first: number
  last: number
}

/** The teaching day, widened by what lies outside it: a class at six in the morning must not be hidden. */
export function hoursFor(
  sessions: readonly Pick<Session, 'starts_at' | 'ends_at'>[],
  day: Hours = { first: 8, last: 21 },
): Hours {
  let { first, last } = day
  for (const session of sessions) {
    const starts = wallClock(session.starts_at)
    const ends = wallClock(session.ends_at)
    const overnight = localDay(session.starts_at) !== localDay(session.ends_at)
    first = Math.min(first, overnight ? 0 : starts.hour)
    last = Math.max(last, overnight ? 24 : ends.hour + (ends.minute > 0 ? 1 : 0))
  }
  return { first, last }
}

export interface GridEvent {
  id: string
  title: string
  start: string
  end: string
  classNames: string[]
  extendedProps: { session: Session }
}

export function gridEvent(session: Session): GridEvent {
  return {
    id: session.id,
    title: session.title,
    start: wallClockAsUtc(session.starts_at),
    end: wallClockAsUtc(session.ends_at),
    classNames: ['session', session.state, session.kind],
    extendedProps: { session },
  }
}

/** Sessions by local day, in order, for the list beside the grid. */
export function byDay(sessions: readonly Session[]): { day: string; sessions: Session[] }[] {
  const days = new Map<string, Session[]>()
  for (const session of [...sessions].sort((a, b) => a.starts_at.localeCompare(b.starts_at))) {
    const day = localDay(session.starts_at)
    days.set(day, [...(days.get(day) ?? []), session])
  }
  return [...days].map(([day, found]) => ({ day, sessions: found }))
}
