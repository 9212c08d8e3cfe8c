// Which buttons a recording has: permitted by the api's `may`, and possible in its state.
import type { Recording } from '@/api/recordings'

export type RecordingAction = 'promote' | 'hold' | 'lift' | 'purge' | 'rescue'

type Facts = Pick<Recording, 'state' | 'holds' | 'may'>

export function actionsFor({ state, holds, may }: Facts): Set<RecordingAction> {
  const found = new Set<RecordingAction>()
  const keepable = state === 'stored' || state === 'marked'
  if (may.includes('recording_promote') && state === 'stored') found.add('promote')
  if (may.includes('recording_hold') && (keepable || state === 'capturing')) found.add('hold')
  if (may.includes('recording_hold_lift') && holds.length > 0) found.add('lift')
  if (may.includes('recording_purge') && keepable && holds.length === 0) found.add('purge')
  if (state === 'marked' && may.includes('recording_hold')) found.add('rescue')
  return found
}
