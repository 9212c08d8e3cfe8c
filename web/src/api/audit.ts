// The audit trail (审计): who did what, when, to which item. Read only.
import { get } from './client'
import type { Instant, Page, Uuid } from './shapes'

export interface AuditEntry {
  id: number
  at: Instant
  actor_kind: 'account' | 'system' | 'encoder'
  actor_id: Uuid | null
  actor_name: string
  address: string | null
  action: string
  item_kind: string
  item_id: string
  details: Record<string, unknown>
}

export interface AuditQuery {
  action?: string
  item_kind?: string
  item_id?: string
  cursor?: string | null
}

export const listAuditEntries = (query: AuditQuery) =>
  get<Page<AuditEntry>>('/audit-entries', { query: { ...query } })
