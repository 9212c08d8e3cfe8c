// Signing in and out (登录).
import { get, post, remove } from './client'
import type { Instant, Person, Uuid } from './shapes'

export interface Grant {
  role: string
  scope_kind: string
  scope_id: Uuid | null
}

export interface SignIn {
  id: Uuid
  account: Person & { login: string }
  grants: Grant[]
  /** What the account may do to anything at all. */
  may: string[]
  csrf_token: string
  expires_at: Instant
}

export const signIn = (login: string, password: string) =>
  post<SignIn>('/sign-ins', { body: { login, password } })
export const currentSignIn = () => get<SignIn>('/sign-ins/current')
export const signOut = () => remove('/sign-ins/current')
