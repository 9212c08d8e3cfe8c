// Whether an encoder is there; and of one that went away, since when. All by the server's clock: the browser's may be wrong.
import type { LiveState } from '@/api/sessions'
import { isPublishing } from './judgement'

/**
 * none: nothing came yet. publishing. reconnecting: gone a moment ago, as encoders are when a line falters. lost: gone for
 * longer than they take to come back by themselves. unheard: the class is live and no ingest node says anything of it.
 */
export type Presence = 'none' | 'publishing' | 'reconnecting' | 'lost' | 'unheard'

/** Why nothing is recorded. Who publishes goes on; who went away may come back once there is room. */
const DISK_PROBLEMS = new Set(['disk_full', 'disk_failing'])

export function presenceOf(live: LiveState | null): Presence {
  if (!live) return 'none'
  if (isPublishing(live)) return 'publishing'
  // One that was refused is not waited for: its problem says what to do. A disk is no fault of the encoder's.
  if (live.problem_code && !DISK_PROBLEMS.has(live.problem_code)) return 'none'
  if (live.encoder_lost_at && live.state !== 'ended')
    return live.state === 'waiting' ? 'lost' : 'reconnecting'
  return !live.node && (live.state === 'live' || live.state === 'cut') ? 'unheard' : 'none'
}

/** How long it has been gone, in seconds; null where nobody knows since when. */
export function goneSeconds(live: LiveState | null): number | null {
  if (!live?.encoder_lost_at || !live.at) return null
  return Math.max(0, (Date.parse(live.at) - Date.parse(live.encoder_lost_at)) / 1000)
}
