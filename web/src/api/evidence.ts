// What cuts kept from their audiences: which recordings have any, the cuts with their reasons, and an address to play it.
import { get, post } from './client'
import type { Instant, Page, Person, Playback, Uuid } from './shapes'

export interface Kept {
  recording_id: Uuid
  session_id: Uuid
  title: string
  instructor: Person | null
  /** Of the newest cut. */
  reason: string | null
  first_at: Instant
  last_at: Instant
  stretches: number
  duration_ms: number
  bytes: number
}

export interface Cut {
  at: Instant
  order: 'cut' | 'resume'
  by: Person | null
  reason: string
}

export interface Stretch {
  id: Uuid
  starts_at: Instant
  duration_ms: number
  bytes: number
  sha256: string
}

export interface Evidence {
  title: string
  cuts: Cut[]
  stretches: Stretch[]
}

export const listEvidence = (cursor: string | null) => get<Page<Kept>>('/evidence', { query: { cursor } })
export const readEvidence = (recordingId: Uuid) => get<Evidence>(`/recordings/${recordingId}/evidence`)
export const playEvidence = (recordingId: Uuid, reason: string) =>
  post<Playback>(`/recordings/${recordingId}/evidence/playback`, { body: { reason } })
