import { expect, it } from 'vitest'
import type { Session } from '@/api/sessions'
import { todaysOrder } from './todaysOrder'

it('puts what runs first, then what comes, then what is over', () => {
  const one = (id: string, state: Session['state'], hour: number) =>
    ({
      id,
      state,
      starts_at: new Date(Date.UTC(2026, 10, 24, hour)).toISOString(),
      ends_at: new Date(Date.UTC(2026, 10, 24, hour + 1)).toISOString(),
    }) as Session
  const sessions = [
    one('ended', 'ended', 1),
    one('missed', 'scheduled', 2),
    one('tonight', 'scheduled', 11),
    one('next', 'scheduled', 8),
    one('cut', 'cut', 5),
    one('live', 'live', 4),
  ]
  const order = todaysOrder(sessions, Date.UTC(2026, 10, 24, 6)).map((s) => s.id)
  expect(order).toEqual(['live', 'cut', 'next', 'tonight', 'missed', 'ended'])
})
