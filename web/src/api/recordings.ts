// Recordings (录像): the library, replay, retention, promotion and purge.
import { get, post } from './client'
import type { Course } from './courses'
import type { Instant, Named, Page, Person, Playback, Uuid } from './shapes'

export type RecordingState = 'capturing' | 'stored' | 'marked' | 'purging' | 'purged' | 'promoted'

export interface Hold {
  id: Uuid
  reason: string
  placed_by: Person | string | null
  placed_at: Instant
  /** What this account may do to this very hold. */
  may?: string[]
}

export interface LiftedHold extends Omit<Hold, 'may'> {
  lift_reason: string
  lifted_by: Person | null
  lifted_at: Instant
}

export interface Recording {
  id: Uuid
  session_id: Uuid | null
  title: string
  state: RecordingState
  instructor: Person | null
  programme: Named | null
  cohort: Named | null
  started_at: Instant | null
  ended_at: Instant | null
  expires_at: Instant | null
  duration_ms: number | null
  bytes: number | null
  /** How many watched it live at one time, at most; told to who teaches or controls its session. */
  peak_viewers: number | null
  poster_url: string | null
  retention_class: string | null
  encoding: { done: number; total: number; failed: number }
  holds: Hold[]
  /** Told to those who see the recording by duty. */
  lifted_holds: LiftedHold[]
  marked_at: Instant | null
  /** Until then a mark can be taken back; null where a person ordered the purge, which begins at once. */
  purge_begins_at: Instant | null
  purge_reason?: string | null
  course_id?: Uuid | null
  version: number
  may: string[]
}

export interface Still {
  at_ms: number
  url: string
  width?: number
  height?: number
}

export interface Work {
  id: Uuid
  kind: string
  subject?: string
  state: 'queued' | 'running' | 'done' | 'failed'
  attempts: number
  queued_at: Instant | null
  started_at: Instant | null
  finished_at: Instant | null
  error: string | null
  log: string | null
}

export interface RecordingQuery {
  state?: RecordingState | ''
  q?: string
  cursor?: string | null
}

const at = (id: Uuid, rest = '') => `/recordings/${id}${rest}`

export const listRecordings = (query: RecordingQuery) =>
  get<Page<Recording>>('/recordings', { query: { ...query } })
export const readRecording = (id: Uuid) => get<Recording>(at(id))
export const playRecording = (id: Uuid) => post<Playback>(at(id, '/playback'), { body: {} })
export const rescueRecording = (id: Uuid) => post<unknown>(at(id, '/rescue'), { body: {} })
export const placeHold = (id: Uuid, reason: string) => post<unknown>(at(id, '/holds'), { body: { reason } })
export const liftHold = (id: Uuid, holdId: Uuid, reason: string) =>
  post<unknown>(at(id, `/holds/${holdId}/lifting`), { body: { reason } })
export const listStills = async (id: Uuid) => itemsOf(await get<Page<Still> | Still[]>(at(id, '/stills')))
export const listWork = async (id: Uuid) => itemsOf(await get<Page<Work> | Work[]>(at(id, '/work')))
export const retryWork = (id: Uuid, workId: Uuid) => post<Work>(at(id, `/work/${workId}/retry`), { body: {} })

export interface Promotion {
  title: string
  audience: 'open' | 'scoped'
  summary: string
}

export const promoteRecording = (id: Uuid, promotion: Promotion) =>
  post<Course>(at(id, '/promotion'), { body: promotion })
export const purgeRecording = (id: Uuid, reason: string, confirmTitle: string) =>
  post<unknown>(at(id, '/purge'), { body: { reason, confirm_title: confirmTitle } })

const itemsOf = <T>(answer: Page<T> | T[]): T[] => (Array.isArray(answer) ? answer : answer.items)
