// What stands in the header, and for whom. The api decides; this only keeps doors from being shown that would not open.

export interface Door {
  name: string
  title: string
  roles?: string[]
}

export const DOORS: Door[] = [
  { name: 'home', title: 'pages.home' },
  { name: 'schedule', title: 'pages.schedule' },
  { name: 'recordings', title: 'pages.recordings' },
  { name: 'courses', title: 'pages.courses' },
  {
    name: 'timetable-import',
    title: 'pages.timetable_import',
    roles: ['academic_affairs', 'department_manager', 'programme_lead'],
  },
  {
    name: 'certificates',
    title: 'pages.certificates',
    roles: [
      'academic_affairs',
      'network_centre',
      'inspector',
      'auditor',
      'security_administrator',
      'system_administrator',
    ],
  },
]

export const doorsFor = (hasRole: (...roles: string[]) => boolean) =>
  DOORS.filter((door) => !door.roles || hasRole(...door.roles))
