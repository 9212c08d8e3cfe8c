export const offices = {
  duties: {
    title: 'Your work',
    system_administrator: {
      note: 'Accounts are kept at the server’s command line:',
      add: 'Add an account',
      password: 'Set a password and lift a lock',
      list: 'Look up accounts and roles',
      doctor: 'See whether all is well',
    },
    security_administrator: {
      note: 'Roles and locks are kept at the server’s command line or through the API:',
      role: 'Give a role (--remove takes it back)',
      list: 'Look up accounts and roles',
      disable: 'Lock an account (enable lifts it)',
    },
    auditor: {
      note: 'You see the record of everything done and the certificates, and no class.',
    },
  },
  audit: {
    title: 'Audit trail',
    note: 'Who did what, when, from where, to what. The newest first; nobody can change it.',
    action: 'Action',
    item_kind: 'Kind of item',
    item_id: 'Item',
    search: 'Filter',
    clear: 'Clear',
    at: 'Time',
    actor: 'By',
    item: 'Item',
    details: 'Details',
    empty: 'Nothing matches.',
    actors: { account: 'Account', system: 'System', encoder: 'Encoder' },
    of_item: 'This item only',
  },
}
