// What those do who see no class: the system, security and audit offices. Their tools are commands and pages of their own.

export interface Duty {
  /** Key of its words under `duties.<role>`. */
  name: string
  /** Typed as it stands, with capitals for what to fill in. */
  command: string
}

export interface Office {
  role: 'system_administrator' | 'security_administrator' | 'auditor'
  duties: Duty[]
  /** Names of the pages that are its own. */
  pages: ('audit' | 'certificates' | 'capacity')[]
}

const OFFICES: Office[] = [
  {
    role: 'system_administrator',
    duties: [
      { name: 'add', command: 'lectern user add LOGIN --name NAME' },
      { name: 'password', command: 'lectern user password LOGIN' },
      { name: 'list', command: 'lectern user list' },
      { name: 'doctor', command: 'lectern doctor' },
    ],
    pages: ['capacity'],
  },
  {
    role: 'security_administrator',
    duties: [
      { name: 'role', command: 'lectern user role LOGIN ROLE' },
      { name: 'list', command: 'lectern user list' },
      { name: 'disable', command: 'POST /api/v1/accounts/ID/disable' },
    ],
    pages: [],
  },
  { role: 'auditor', duties: [], pages: ['audit', 'certificates'] },
]

export const officesOf = (roles: ReadonlySet<string>) => OFFICES.filter((one) => roles.has(one.role))
