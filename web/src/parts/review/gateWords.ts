// What the release gate does now, as the reviewer reads it.
import type { LiveState, Session } from '@/api/sessions'

export type Gate = 'cut' | 'frozen' | 'silent' | 'open' | 'shut'

export function gateOf(session: Pick<Session, 'state'>, live: LiveState | null): Gate {
  if (session.state === 'cut') return 'cut'
  if (session.state !== 'live') return 'shut'
  if (live?.frozen) return 'frozen'
  return live?.take_id ? 'open' : 'silent'
}
