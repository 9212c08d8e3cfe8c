// Sessions (直播课): the schedule, the ingest address, the encoder's live state, control and playback.
import { get, patch, post } from './client'
import type { RecordingState } from './recordings'
import type { Instant, Named, Namesake, Page, Person, Playback, Uuid } from './shapes'

export type SessionState =
  'draft' | 'filed' | 'approved' | 'scheduled' | 'live' | 'cut' | 'ended' | 'cancelled'

export interface Session {
  id: Uuid
  kind: 'daily' | 'major'
  interaction: 'interactive' | 'one_way'
  title: string
  state: SessionState
  starts_at: Instant
  ends_at: Instant
  room: string | null
  programme: Named | null
  cohort: Named | null
  instructor: Person | null
  /** Told to who controls it or names one. */
  reviewer: Person | null
  recording_id: Uuid | null
  recording_state: RecordingState | null
  release: 'roster_at_once' | 'after_review' | 'never'
  /** How long after its teacher its audience sees it. */
  delay_seconds: number
  cut_reason: string | null
  went_live_at: Instant | null
  ended_at: Instant | null
  /** How many watched it live at one time, at most. */
  peak_viewers: number | null
  version: number
  may: string[]
}

export interface IngestAddress {
  rtmp_server: string
  /** The same in TLS, where the institute offers it. */
  rtmps_server: string | null
  key: string
  whip_url: string
  slot: string
  not_before: Instant
  not_after: Instant
}

/**
 * The encoder's live state, as the ingest process last said; only `state` is there when nothing publishes.
 * Counters that are zero may be left out.
 */
/** What is said of an encoder: a code that the pages put into words, with its numbers. */
export interface EncoderVerdict {
  code: string
  light: 'good' | 'fair' | 'poor'
  facts: Record<string, string | number>
}

export interface LiveState {
  state: string
  /** The ingest node that says so; empty where none does. */
  node?: string
  /** Since when the session waits for an encoder to come back. */
  encoder_lost_at?: Instant | null
  take_id?: Uuid | null
  take_number?: number | null
  protocol?: 'rtmp' | 'whip' | null
  encoder?: string | null
  width?: number | null
  height?: number | null
  frame_rate?: number | null
  video_kbps?: number | null
  audio_kbps?: number | null
  keyframe_interval_ms?: number | null
  dropped_frames?: number | null
  /** How unevenly frames came lately, and how much later than at best: the network's part. */
  jitter_ms?: number | null
  queue_ms?: number | null
  /** How much sound comes before the picture of its time; negative: after it. */
  audio_offset_ms?: number | null
  /** The worst of `health`; missing before the encoder has settled. */
  light?: EncoderVerdict['light'] | null
  /** The worst first; `good` alone where nothing is wrong. */
  health?: EncoderVerdict[]
  viewers?: number | null
  /** Nothing is let out because no cut could be heard. */
  frozen?: boolean
  video_codec?: string | null
  audio_codec?: string | null
  problem_code?: string | null
  problem_facts?: Record<string, string | number> | null
  at?: Instant | null
}

export interface SessionQuery {
  from?: Instant
  to?: Instant
  mine?: boolean
  state?: SessionState
  cursor?: string
}

export const listSessions = (query: SessionQuery) => get<Page<Session>>('/sessions', { query: { ...query } })

/** Every session of a window; a week of an institute is a few pages. */
export async function allSessions(query: SessionQuery): Promise<Session[]> {
  const found: Session[] = []
  let cursor: string | null = null
  do {
    const page: Page<Session> = await listSessions(cursor ? { ...query, cursor } : query)
    found.push(...page.items)
    cursor = page.next_cursor
  } while (cursor)
  return found
}

export const readSession = (id: Uuid) => get<Session>(`/sessions/${id}`)
export const readIngest = (id: Uuid) => get<IngestAddress>(`/sessions/${id}/ingest`)
export const renewIngest = (id: Uuid) => post<IngestAddress>(`/sessions/${id}/ingest/renewal`, { body: {} })
export const readLive = (id: Uuid) => get<LiveState>(`/sessions/${id}/live`)
export const playSession = (id: Uuid) => post<Playback>(`/sessions/${id}/playback`, { body: {} })
/** Ahead of its audience, and on while it is cut, for whoever teaches or controls it; nobody is counted by it. */
export const previewSession = (id: Uuid) =>
  post<Playback>(`/sessions/${id}/playback`, { body: {}, query: { view: 'preview' } })
/** What its audience sees, for the same people. */
export const monitorSession = (id: Uuid) =>
  post<Playback>(`/sessions/${id}/playback`, { body: {}, query: { view: 'monitor' } })

export const findReviewers = async (id: Uuid, q: string) =>
  (await get<Page<Namesake>>(`/sessions/${id}/reviewers`, { query: { q } })).items
export const nameReviewer = (session: Session, accountId: Uuid | null) =>
  patch<Session>(`/sessions/${session.id}/reviewer`, {
    body: { account_id: accountId },
    version: session.version,
  })

export interface Viewers {
  watching: number
  viewers: Namesake[]
  removed: { viewer: Namesake; at: Instant }[]
}

export const listViewers = (id: Uuid, q: string) => get<Viewers>(`/sessions/${id}/viewers`, { query: { q } })
export const removeViewer = (id: Uuid, viewer: Uuid, reason: string) =>
  post<unknown>(`/sessions/${id}/viewers/${viewer}/removal`, { body: { reason } })
export const readmitViewer = (id: Uuid, viewer: Uuid, reason: string) =>
  post<unknown>(`/sessions/${id}/viewers/${viewer}/readmission`, { body: { reason } })

export type Control = 'cut' | 'resume' | 'kick' | 'end'
export const controlSession = (id: Uuid, control: Control, reason: string) =>
  post<unknown>(`/sessions/${id}/${control}`, { body: { reason } })
