// What a recording's expiry means for its reader: how long it is still kept, as words and as a bar. Article 16.
import type { Recording } from '@/api/recordings'
import { calendarDays } from '@/parts/format/zone'

export type Keeping =
  /** Kept until its day: the clock runs. */
  | { kind: 'counting'; daysLeft: number; share: number; near: boolean }
  /** A hold stopped the clock. */
  | { kind: 'held'; holds: number }
  /** Promoted to a course, or of a class without an end. */
  | { kind: 'kept' }
  /** Its day has come, the sweep has not yet. */
  | { kind: 'due' }
  /** Its time was up: the mark can be taken back `until` then. */
  | { kind: 'marked'; until: string }
  /** A person ordered it away: its deletion begins at once. */
  | { kind: 'ordered' }
  /** Its files are being deleted: nothing stops that. */
  | { kind: 'purging' }
  | { kind: 'purged' }
  /** Still being captured: the clock has not started. */
  | { kind: 'capturing' }

/** At this many days the first notice goes out (domain.retention's notice days are 30, 7, 1). */
export const NEAR_DAYS = 30

type Facts = Pick<Recording, 'state' | 'expires_at' | 'ended_at' | 'started_at' | 'holds' | 'purge_begins_at'>

/** The keeping of a recording at an instant (ms). Days are calendar days in Beijing: on its last day 0 are left. */
export function keepingOf(recording: Facts, now: number): Keeping {
  if (recording.state === 'purged') return { kind: 'purged' }
  if (recording.state === 'purging') return { kind: 'purging' }
  if (recording.state === 'marked') return markOf(recording)
  if (recording.state === 'promoted') return { kind: 'kept' }
  if (recording.holds.length > 0) return { kind: 'held', holds: recording.holds.length }
  if (recording.state === 'capturing') return { kind: 'capturing' }
  if (recording.expires_at === null) return { kind: 'kept' }
  const expires = Date.parse(recording.expires_at)
  if (expires <= now) return { kind: 'due' }
  const begins = Date.parse(recording.ended_at ?? recording.started_at ?? '') || now
  const share = expires > begins ? Math.min(1, Math.max(0, (expires - now) / (expires - begins))) : 0
  const daysLeft = calendarDays(now, expires)
  return { kind: 'counting', daysLeft, share, near: daysLeft <= NEAR_DAYS }
}

/** A hold that came after the mark stops the purge as any other. */
function markOf({ holds, purge_begins_at: until }: Facts): Keeping {
  if (holds.length > 0) return { kind: 'held', holds: holds.length }
  return until ? { kind: 'marked', until } : { kind: 'ordered' }
}
