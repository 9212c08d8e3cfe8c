// What stands in the header, and for whom. The api decides; this only keeps doors from being shown that would not open.

export interface Door {
  name: string
  title: string
  /** The action without which there is nothing behind the door. */
  needs?: string
}

export const DOORS: Door[] = [
  { name: 'home', title: 'pages.home' },
  { name: 'schedule', title: 'pages.schedule', needs: 'session_read' },
  { name: 'recordings', title: 'pages.recordings', needs: 'recording_read' },
  { name: 'courses', title: 'pages.courses', needs: 'course_read' },
  { name: 'timetable-import', title: 'pages.timetable_import', needs: 'timetable_import' },
  { name: 'capacity', title: 'pages.capacity', needs: 'capacity_edit' },
  { name: 'evidence', title: 'pages.evidence', needs: 'evidence_read' },
  { name: 'certificates', title: 'pages.certificates', needs: 'certificate_read' },
  { name: 'audit', title: 'pages.audit', needs: 'audit_read' },
]

export const doorsFor = (may: (action: string) => boolean) =>
  DOORS.filter((door) => !door.needs || may(door.needs))
