// The browser's publish as refs: what is captured, whether it flows, what went wrong. One that was lost is begun anew by
// itself, with the same camera, until it flows again, cannot, or is stopped (RFC 9725 §4.4: a new POST).
import { onScopeDispose, ref, shallowRef } from 'vue'
import { problemFrom } from '@/api/problems'
import type { IngestAddress } from '@/api/sessions'
import { useWords } from '@/parts/format/useWords'
import { capture, type Picture, release } from './capture'
import { isNetwork, mayPass, PATIENCE_MS, waitMs } from './retry'
import { WhipPublisher, WhipRefused } from './whip'

export type PublishState = 'idle' | 'asking' | 'connecting' | 'publishing' | 'interrupted' | 'reconnecting'

/** A try to come back: which one it is, why the one before failed, when it begins (ms since 1970), whether it has. */
export interface Retry {
  tries: number
  why: string
  at: number
  begun: boolean
}

/** A line that falters comes back within this; a browser alone would wait for half a minute before it gave up. */
const FALTER_MS = 5000

export function usePublish() {
  const { t, problem } = useWords()
  const state = ref<PublishState>('idle')
  const trouble = ref('')
  const stream = shallowRef<MediaStream | null>(null)
  const retry = shallowRef<Retry | null>(null)
  let publisher: WhipPublisher | null = null
  let address: IngestAddress | null = null
  let turn = 0 // which connection counts: one that was stopped or lost meanwhile must not come to life
  let goodbye: Promise<boolean> = Promise.resolve(false)
  let flowed = false // what never flowed is not waited for: its person is told
  let lostAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function start(to: IngestAddress, picture: Picture): Promise<void> {
    const mine = ++turn
    address = to
    flowed = false
    trouble.value = ''
    state.value = 'asking'
    try {
      const captured = await capture(picture)
      if (mine !== turn) return release(captured)
      stream.value = captured
      // The viewer's browser may stop the sharing of a screen by its own button.
      captured.getVideoTracks()[0]?.addEventListener('ended', () => stream.value === captured && void stop())
      state.value = 'connecting'
      await connect(captured, to, mine)
    } catch (error) {
      if (mine === turn) giveUp(words(error))
    }
  }

  /** Throws what the server or the network says. */
  async function connect(captured: MediaStream, to: IngestAddress, mine: number): Promise<void> {
    const still = (act: () => void) => mine === turn && act()
    await goodbye // the key is in use until then
    if (mine !== turn) return
    const started = await WhipPublisher.start({
      url: to.whip_url,
      key: to.key,
      stream: captured,
      onState: (connection) => still(() => follow(connection)),
      onHungUp: () => still(() => lose()),
    })
    if (mine === turn) publisher = started
    else await started.stop()
  }

  function follow(connection: RTCPeerConnectionState): void {
    clearTimeout(timer)
    if (connection === 'connected') {
      flowed = true
      retry.value = null
      trouble.value = ''
      state.value = 'publishing'
    } else if (connection === 'disconnected') {
      if (!retry.value) state.value = 'interrupted'
      timer = setTimeout(lose, FALTER_MS)
    } else if (connection === 'failed') lose()
  }

  /** It flowed and does no more, or a try to come back has failed with `error`. */
  function lose(error: unknown = new TypeError('lost')): void {
    clearTimeout(timer)
    const mine = ++turn
    const tries = (retry.value?.tries ?? 0) + 1
    if (tries === 1) lostAt = Date.now()
    void part().then((ended) => ended && mine === turn && giveUp(t('publish.ended')))
    const wait = waitMs(tries, error, Math.random())
    if (!flowed || Date.now() + wait > lostAt + PATIENCE_MS) return giveUp(t('publish.lost'))
    if (!mayPass(error, tries)) return giveUp(words(error))
    state.value = 'reconnecting'
    retry.value = { tries, why: tries > 1 ? words(error) : '', at: Date.now() + wait, begun: false }
    timer = setTimeout(again, wait)
  }

  async function again(): Promise<void> {
    const waiting = retry.value
    if (!waiting || waiting.begun || !stream.value || !address) return
    clearTimeout(timer)
    const mine = ++turn
    retry.value = { ...waiting, begun: true }
    try {
      await connect(stream.value, address, mine)
    } catch (error) {
      if (mine === turn) lose(error)
    }
  }

  /** Says goodbye to what is there; true where the server says that somebody had ended it. */
  function part(): Promise<boolean> {
    if (publisher) goodbye = publisher.stop()
    publisher = null
    return goodbye
  }

  function giveUp(why: string): void {
    trouble.value = why
    void stop()
  }

  async function stop(): Promise<void> {
    clearTimeout(timer)
    turn += 1
    if (stream.value) release(stream.value)
    stream.value = retry.value = null
    state.value = 'idle'
    await part()
  }

  function words(error: unknown): string {
    if (error instanceof WhipRefused) return problem(problemFrom(error.status, error.body))
    if (error instanceof DOMException) {
      if (error.name === 'NotAllowedError') return t('publish.not_allowed')
      if (error.name === 'NotFoundError') return t('publish.not_found')
      if (error.name === 'NotReadableError') return t('publish.not_readable')
    }
    return isNetwork(error) ? t('publish.unreachable') : t('publish.failed')
  }

  const leave = () => void stop()
  const soon = () => void again()
  window.addEventListener('pagehide', leave)
  window.addEventListener('online', soon)
  onScopeDispose(() => {
    window.removeEventListener('pagehide', leave)
    window.removeEventListener('online', soon)
    leave()
  })
  return { state, trouble, stream, retry, start, stop }
}
