// Shapes that several resources share.

export type Uuid = string
/** RFC 3339, UTC. */
export type Instant = string

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

export interface Named {
  id: Uuid
  title: string
}

export interface Person {
  id: Uuid
  display_name: string
}

/** Where one must not be taken for another of the same name. */
export interface Namesake extends Person {
  login: string
}

export interface Playback {
  url: string
  expires_at: Instant
}
