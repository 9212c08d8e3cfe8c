// Timetables (课表) and their import.
import { get, post } from './client'
import type { Page, Uuid } from './shapes'

export interface Timetable {
  id: Uuid
  slug: string
  title: string
  may: string[]
}

export interface CancelledSession {
  id: Uuid
  title: string
  starts_at: string
}

export interface RejectedRow {
  row: number
  /** The course's name, as far as the row has one. */
  title: string
  code: string
  detail: string
}

export interface ImportReport {
  /** Null for a preview, of which nothing is kept. */
  id: Uuid | null
  created: number
  changed: number
  unchanged: number
  cancelled: number
  /** Rows that were over and unknown, and made nothing. */
  past: number
  /** Sessions gone from the file, but perhaps meant by one of its unreadable rows. */
  kept: number
  /** The first 200 of the cancelled ones, by time. */
  cancelled_sessions: CancelledSession[]
  rejected: RejectedRow[]
}

export async function listTimetables(): Promise<Timetable[]> {
  const answer = await get<Page<Timetable> | Timetable[]>('/timetables')
  return Array.isArray(answer) ? answer : answer.items
}

/** What the import would do; it does nothing. */
export function previewTimetable(timetable: string, file: File): Promise<ImportReport> {
  const form = formOf(timetable, file)
  form.set('preview', 'true')
  return post<ImportReport>('/timetable-imports', { body: form })
}

export function importTimetable(timetable: string, file: File): Promise<ImportReport> {
  return post<ImportReport>('/timetable-imports', { body: formOf(timetable, file) })
}

function formOf(timetable: string, file: File): FormData {
  const form = new FormData()
  form.set('timetable', timetable)
  form.set('file', file)
  return form
}
