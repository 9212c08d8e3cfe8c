// The browser's publish as refs: what is captured, whether it flows, what went wrong.
import { onScopeDispose, ref, shallowRef } from 'vue'
import { problemFrom } from '@/api/problems'
import type { IngestAddress } from '@/api/sessions'
import { useWords } from '@/parts/format/useWords'
import { WhipPublisher, WhipRefused } from './whip'

export type Picture = 'camera' | 'screen'
export type PublishState = 'idle' | 'asking' | 'connecting' | 'publishing' | 'interrupted'

export function usePublish() {
  const { t, problem } = useWords()
  const state = ref<PublishState>('idle')
  const trouble = ref('')
  const stream = shallowRef<MediaStream | null>(null)
  let publisher: WhipPublisher | null = null
  let turn = 0 // which start counts: one that was stopped meanwhile must not come to life
  let goodbye = Promise.resolve()

  async function start(address: IngestAddress, picture: Picture): Promise<void> {
    const mine = ++turn
    const still = (act: () => void) => mine === turn && act()
    trouble.value = ''
    state.value = 'asking'
    try {
      const captured = await capture(picture)
      await goodbye // the key is in use until then
      if (mine !== turn) return release(captured)
      stream.value = captured
      state.value = 'connecting'
      // The viewer's browser may stop the sharing of a screen by its own button.
      captured.getVideoTracks()[0]?.addEventListener('ended', () => still(() => void stop()))
      const started = await WhipPublisher.start({
        url: address.whip_url,
        key: address.key,
        stream: captured,
        onState: (connection) => still(() => follow(connection)),
        onHungUp: () => still(lose),
      })
      if (mine === turn) publisher = started
      else await started.stop()
    } catch (error) {
      if (mine !== turn) return
      trouble.value = words(error)
      await stop()
    }
  }

  function follow(connection: RTCPeerConnectionState): void {
    if (connection === 'connected') state.value = 'publishing'
    else if (connection === 'disconnected') state.value = 'interrupted'
    else if (connection === 'failed') lose()
  }

  function lose(): void {
    trouble.value = t('publish.lost')
    void stop()
  }

  function stop(): Promise<void> {
    turn += 1
    const ending = publisher
    publisher = null
    if (stream.value) release(stream.value)
    stream.value = null
    state.value = 'idle'
    if (ending) goodbye = ending.stop()
    return goodbye
  }

  function words(error: unknown): string {
    if (error instanceof WhipRefused) return problem(problemFrom(error.status, error.body))
    if (error instanceof DOMException) {
      if (error.name === 'NotAllowedError') return t('publish.not_allowed')
      if (error.name === 'NotFoundError') return t('publish.not_found')
      if (error.name === 'NotReadableError') return t('publish.not_readable')
    }
    if (error instanceof TypeError) return t('publish.unreachable')
    return t('publish.failed')
  }

  const leave = () => void stop()
  window.addEventListener('pagehide', leave)
  onScopeDispose(() => {
    window.removeEventListener('pagehide', leave)
    leave()
  })
  return { state, trouble, stream, start, stop }
}

/** The camera's light goes out. */
function release(captured: MediaStream): void {
  for (const track of captured.getTracks()) track.stop()
}

async function capture(picture: Picture): Promise<MediaStream> {
  const audio = { echoCancellation: true, noiseSuppression: true }
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }
  if (picture === 'camera') return navigator.mediaDevices.getUserMedia({ video, audio })
  // A screen of more lines is scaled down here: it would leave too few bits to each.
  const screen = await navigator.mediaDevices.getDisplayMedia({
    video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 30 } },
    audio: false,
  })
  try {
    const voice = await navigator.mediaDevices.getUserMedia({ audio })
    return new MediaStream([...screen.getVideoTracks(), ...voice.getAudioTracks()])
  } catch (error) {
    release(screen)
    throw error
  }
}
