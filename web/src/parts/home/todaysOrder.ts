// Today's sessions in the order a person wants them: what runs, what comes, what is over.
import type { Session } from '@/api/sessions'

function rank(session: Session, now: number): number {
  if (session.state === 'live' || session.state === 'cut') return 0
  if (session.state === 'ended' || session.state === 'cancelled') return 3
  return Date.parse(session.ends_at) > now ? 1 : 2
}

export function todaysOrder(sessions: readonly Session[], now: number): Session[] {
  return [...sessions].sort((a, b) => rank(a, now) - rank(b, now) || a.starts_at.localeCompare(b.starts_at))
}
