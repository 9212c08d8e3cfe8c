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

  async function start(address: IngestAddress, picture: Picture): Promise<void> {
    trouble.value = ''
    state.value = 'asking'
    try {
      stream.value = await capture(picture)
      state.value = 'connecting'
      // The viewer's browser may stop the sharing of a screen by its own button.
      stream.value.getVideoTracks()[0]?.addEventListener('ended', () => void stop())
      publisher = await WhipPublisher.start({
        url: address.whip_url,
        key: address.key,
        stream: stream.value,
        onState: follow,
      })
    } catch (error) {
      trouble.value = words(error)
      await stop()
    }
  }

  function follow(connection: RTCPeerConnectionState): void {
    if (connection === 'connected') state.value = 'publishing'
    else if (connection === 'disconnected') state.value = 'interrupted'
    else if (connection === 'failed') {
      trouble.value = t('publish.lost')
      void stop()
    }
  }

  async function stop(): Promise<void> {
    const ending = publisher
    publisher = null
    for (const track of stream.value?.getTracks() ?? []) track.stop()
    stream.value = null
    state.value = 'idle'
    await ending?.stop()
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

  onScopeDispose(() => void stop())
  return { state, trouble, stream, start, stop }
}

async function capture(picture: Picture): Promise<MediaStream> {
  const audio = { echoCancellation: true, noiseSuppression: true }
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }
  if (picture === 'camera') return navigator.mediaDevices.getUserMedia({ video, audio })
  const screen = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 30 } },
    audio: false,
  })
  try {
    const voice = await navigator.mediaDevices.getUserMedia({ audio })
    return new MediaStream([...screen.getVideoTracks(), ...voice.getAudioTracks()])
  } catch (error) {
    for (const track of screen.getTracks()) track.stop()
    throw error
  }
}
