// What the watch page shows for a session's state, and how soon it looks again.
import type { Session } from '@/api/sessions'

export type Scene = 'waiting' | 'live' | 'cut' | 'ended' | 'cancelled'

export function sceneOf(session: Pick<Session, 'state'>): Scene {
  switch (session.state) {
    case 'live':
    case 'cut':
    case 'ended':
    case 'cancelled':
      return session.state
    default:
      return 'waiting'
  }
}

/** Whether there is a stream to play: a cut one goes on with the holding picture. */
export const isOnAir = (scene: Scene | null | undefined): scene is 'live' | 'cut' =>
  scene === 'live' || scene === 'cut'

/** Milliseconds until the next look: soon around the beginning and while live, seldom when nothing can happen. */
export function pollDelay(
  session: Pick<Session, 'state' | 'starts_at' | 'recording_id'> | null,
  now: number,
): number {
  if (!session) return 3000
  const scene = sceneOf(session)
  if (scene === 'cancelled') return 60_000
  if (scene === 'ended') return session.recording_id ? 60_000 : 5000
  if (scene !== 'waiting') return 4000
  return Date.parse(session.starts_at) - now > 15 * 60_000 ? 20_000 : 3000
}

/** `{days, hours, minutes, seconds}` until an instant; all zero when it has passed. */
export function countdown(until: number, now: number) {
  const left = Math.max(0, Math.floor((until - now) / 1000))
  return {
    days: Math.floor(left / 86_400),
    hours: Math.floor((left % 86_400) / 3600),
    minutes: Math.floor((left % 3600) / 60),
    seconds: left % 60,
  }
}
