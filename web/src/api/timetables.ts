// Timetables (课表) and their import.
import { get, post } from './client'
import type { Page, Uuid } from './shapes'

export interface Timetable {
  id: Uuid
  slug: string
  title: string
  may: string[]
}

export interface RejectedRow {
  row: number
  code: string
  detail: string
}

export interface ImportReport {
  id: Uuid
  created: number
  changed: number
  unchanged: number
  cancelled: number
  /** Rows that were over and unknown, and made nothing. */
  past: number
  /** Sessions gone from the file, but perhaps meant by one of its unreadable rows. */
  kept: number
  rejected: RejectedRow[]
}

export async function listTimetables(): Promise<Timetable[]> {
  const answer = await get<Page<Timetable> | Timetable[]>('/timetables')
  return Array.isArray(answer) ? answer : answer.items
}

export function importTimetable(timetable: string, file: File): Promise<ImportReport> {
  const form = new FormData()
  form.set('timetable', timetable)
  form.set('file', file)
  return post<ImportReport>('/timetable-imports', { body: form })
}
