// Certificates of a purge (清除凭证): what was deleted, when, why, and what proves it.
import { get } from './client'
import type { Instant, Page, Uuid } from './shapes'

export interface Certificate {
  id: Uuid
  recording_id: Uuid
  session_id: Uuid
  title: string
  purged_at: Instant
  reason: string
  objects: number
  bytes: number
  listing_sha256: string
  verified_at: Instant
  actor: string
}

export const readCertificate = (recordingId: Uuid) =>
  get<Certificate>(`/recordings/${recordingId}/certificate`)
export const listCertificates = (cursor: string | null) =>
  get<Page<Certificate>>('/certificates', { query: { cursor } })
