import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { useRecovery } from './useRecovery'

const state = ref('live')
const player = { status: 'playing', recover: vi.fn(() => Promise.resolve()) }
const scope = effectScope()

beforeEach(() => {
  vi.useFakeTimers()
  player.recover.mockClear()
  scope.run(() => useRecovery(ref(player), () => state.value))
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

it('begins a player that failed anew: at once when the session changes, and not for ever', async () => {
  vi.advanceTimersByTime(60_000)
  expect(player.recover, 'one that plays is left alone').not.toHaveBeenCalled()
  player.status = 'failed'
  vi.advanceTimersByTime(60_000)
  expect(player.recover).toHaveBeenCalledTimes(3)
  state.value = 'cut'
  await nextTick()
  expect(player.recover).toHaveBeenCalledTimes(4)
  vi.advanceTimersByTime(60_000)
  expect(player.recover).toHaveBeenCalledTimes(6)
  scope.stop()
  state.value = 'live'
  await nextTick()
  vi.advanceTimersByTime(60_000)
  expect(player.recover, 'nor after its page').toHaveBeenCalledTimes(6)
})
