// Where a session leads, by its state and by what its reader may: the first is what they most likely want.
import type { RouteLocationRaw } from 'vue-router'
import type { Session } from '@/api/sessions'

export interface SessionDoor {
  name: 'open-session' | 'watch-session' | 'replay-session'
  to: RouteLocationRaw
}

export function doorsOf(session: Session): SessionDoor[] {
  const doors: SessionDoor[] = []
  const { id, state, recording_id: recording, may } = session
  const over = state === 'ended' || state === 'cancelled'
  if (!over && (may.includes('session_publish') || may.includes('session_control'))) {
    doors.push({ name: 'open-session', to: { name: 'session', params: { id } } })
  }
  if (!over && may.includes('session_play')) {
    doors.push({ name: 'watch-session', to: { name: 'watch', params: { id } } })
  }
  if (state === 'ended' && recording) {
    doors.push({ name: 'replay-session', to: { name: 'replay', params: { id: recording } } })
  }
  return doors
}
