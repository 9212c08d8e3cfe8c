// Which buttons a recording has: permitted by the api's `may`, and possible in its state.
import type { Recording } from '@/api/recordings'

export type RecordingAction = 'promote' | 'hold' | 'lift' | 'purge' | 'rescue'

type Facts = Pick<Recording, 'state' | 'holds' | 'may' | 'purge_begins_at'>

/** One more hold on what is held is legal: each reason stands until it is lifted itself. */
export function actionsFor({ state, holds, may, purge_begins_at }: Facts): Set<RecordingAction> {
  const found = new Set<RecordingAction>()
  const keepable = state === 'stored' || state === 'marked'
  if (may.includes('recording_promote') && state === 'stored') found.add('promote')
  if (may.includes('recording_hold') && (keepable || state === 'capturing')) found.add('hold')
  if (may.includes('recording_hold_lift') && holds.length > 0) found.add('lift')
  if (may.includes('recording_purge') && state === 'stored' && holds.length === 0) found.add('purge')
  // What a person ordered away goes at once: that is what they were told, so nobody is offered to take it back unless a
  // hold came first.
  const mayCancel = purge_begins_at !== null || holds.length > 0
  if (state === 'marked' && mayCancel && may.includes('recording_hold')) found.add('rescue')
  return found
}
