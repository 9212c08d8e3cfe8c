// Where a session leads, by its state, the time and what its reader may: the first is what they most likely want.
import type { RouteLocationRaw } from 'vue-router'
import type { Session } from '@/api/sessions'

export interface SessionDoor {
  name: 'review-session' | 'open-session' | 'watch-session' | 'replay-session' | 'certificate-session'
  /** What stands on it, where that is not its name. */
  words?: 'watch-soon'
  to: RouteLocationRaw
}

/** A class may begin so long before its time, and is waited for so long after its end (domain/admission.py). */
const EARLY_MS = 15 * 60_000
const OVERRUN_MS = 30 * 60_000

/** A class that is not live yet is watched only when it can begin any moment. */
function aboutToBegin({ state, starts_at, ends_at }: Session, now: number): boolean {
  return (
    state === 'scheduled' && now >= Date.parse(starts_at) - EARLY_MS && now < Date.parse(ends_at) + OVERRUN_MS
  )
}

export const isPurged = ({ recording_state: state }: Pick<Session, 'recording_state'>) =>
  state === 'purged' || state === 'purging'

export function doorsOf(session: Session, now: number, seesCertificates = false): SessionDoor[] {
  const doors: SessionDoor[] = []
  const { id, state, recording_id: recording, may } = session
  const over = state === 'ended' || state === 'cancelled'
  // What is held back is reviewed first by whoever does not teach it.
  if (!over && session.delay_seconds && may.includes('session_control') && !may.includes('session_publish')) {
    doors.push({ name: 'review-session', to: { name: 'review', params: { id } } })
  }
  if (!over && (may.includes('session_publish') || may.includes('session_control'))) {
    doors.push({ name: 'open-session', to: { name: 'session', params: { id } } })
  }
  if (may.includes('session_play')) {
    const watch = { name: 'watch-session', to: { name: 'watch', params: { id } } } as const
    if (state === 'live' || state === 'cut') doors.push(watch)
    else if (aboutToBegin(session, now)) doors.push({ ...watch, words: 'watch-soon' })
  }
  if (state === 'ended' && recording && !isPurged(session)) {
    doors.push({ name: 'replay-session', to: { name: 'replay', params: { id: recording } } })
  }
  if (recording && session.recording_state === 'purged' && seesCertificates) {
    doors.push({ name: 'certificate-session', to: { name: 'certificate', params: { id: recording } } })
  }
  return doors
}
