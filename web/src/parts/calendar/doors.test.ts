import { expect, it } from 'vitest'
import type { Session } from '@/api/sessions'
import { doorsOf } from './doors'

const of = (state: Session['state'], may: string[], recording_id: string | null = null) =>
  doorsOf({ id: 's', state, may, recording_id } as Session).map((door) => door.name)

it('takes the instructor to the session first', () => {
  expect(of('scheduled', ['session_publish', 'session_play'])).toEqual(['open-session', 'watch-session'])
})

it('takes a learner to the live page, then to the replay', () => {
  expect(of('live', ['session_play'])).toEqual(['watch-session'])
  expect(of('ended', ['session_play'], 'r')).toEqual(['replay-session'])
  expect(of('ended', ['session_play'])).toEqual([])
})

it('leads nowhere from what is cancelled or not permitted', () => {
  expect(of('cancelled', ['session_publish', 'session_play'])).toEqual([])
  expect(of('live', [])).toEqual([])
})
