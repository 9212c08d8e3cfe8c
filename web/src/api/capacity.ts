// Places on the air: each department's share of them, and the ingest nodes that have them.
import { get, put } from './client'
import type { Instant, Uuid } from './shapes'

export interface Capacity {
  department_id: Uuid
  slug: string
  name_zh: string
  name_en: string
  /** Its own limit; null: what the house's setting gives every department. */
  max_publishers: number | null
  /** How many encoders it has on the air now. */
  publishing: number
  version: number
}

export interface IngestNode {
  node: string
  at: Instant
  /** It only shows what other nodes have. */
  edge: boolean
  publishers: number
  max_publishers: number
  /** What its setting gives each department; null: no limit. */
  max_department_publishers: number | null
  sessions: number
  viewers: number
  /** Sessions shown from the store, since their nodes are silent. */
  stand_ins: number
  reels_pending: number
  uploads_failing_since: Instant | null
  /** good, low, full, failing; a newer node may know another. */
  disk: string
  disk_free_bytes: number
  disk_bytes: number
  /** How long ago it said so. */
  silent_seconds: number
}

export const listCapacities = async () => (await get<{ items: Capacity[] }>('/capacities')).items
export const listNodes = async () => (await get<{ items: IngestNode[] }>('/nodes')).items

/** `most` null: the house's setting again. */
export const limitDepartment = (seen: Capacity, most: number | null) =>
  put<Capacity>(`/capacities/${seen.department_id}`, {
    body: { max_publishers: most },
    version: seen.version,
  })
