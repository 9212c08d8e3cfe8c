// One player: the video element, hls.js behind it, the live window. The player's parts only read and call what is here.
import Hls, { type LevelDetails } from 'hls.js'
import { computed, onScopeDispose, reactive, type Ref, ref, shallowRef, watch } from 'vue'
import { isFinal } from '@/api/problems'
import type { Playback } from '@/api/shapes'
import { playsHere, start } from './engine'
import {
  behindSeconds,
  clampSeek,
  clockAt,
  isAtEnd,
  isAtLive,
  LIVE_SLACK_SECONDS,
  livePosition,
} from './liveEdge'
import { leftBehind, type Pause, pauseAt, pausesIn, soughtPast, stepped } from './pauses'
import { useVideo } from './useVideo'

export interface Quality {
  index: number
  height: number
  kbps: number
}

export interface PlayerOptions {
  live: boolean
  /** Whether it stays at the front whatever it costs. */
  ahead?: boolean
  /** Asks for an address to play; asked again when the last one is no longer good. */
  source: () => Promise<Playback>
  autoplay: boolean
  muted: boolean
}

export type Player = ReturnType<typeof usePlayer>

/** Before the playlist says better. */
const USUAL_LATENCY_SECONDS = 2

export function usePlayer(video: Ref<HTMLVideoElement | null>, options: PlayerOptions) {
  const trouble = shallowRef<unknown>(null)
  const struggling = ref(false)
  const media = reactive({ position: 0, start: 0, end: 0, bufferedTo: 0 })
  const targetLatency = ref(USUAL_LATENCY_SECONDS)
  const qualities = ref<Quality[]>([])
  const chosenQuality = ref(-1)
  const shownQuality = ref(-1)
  const pauses = shallowRef<Pause[]>([])
  let hls: Hls | null = null
  let details: LevelDetails | null = null
  let refusals = 0
  let soughtEarly: number | null = null

  const element = useVideo(video, { muted: options.muted, moved: measure })
  const { status } = element
  const liveWindow = computed(() => ({
    start: media.start,
    edge: media.end,
    targetLatency: targetLatency.value,
  }))
  const behind = computed(() => behindSeconds(liveWindow.value, media.position))
  const atLive = computed(() => isAtLive(liveWindow.value, media.position))
  const inPause = computed(() => pauseAt(pauses.value, media.position) !== null)

  async function load(from: number | null = null): Promise<void> {
    const target = video.value
    if (!target) return
    status.value = 'loading'
    trouble.value = null
    try {
      const { url } = await options.source()
      if (video.value === target) play(target, url, from)
    } catch (error) {
      trouble.value = error
      status.value = 'failed'
    }
  }

  function play(target: HTMLVideoElement, url: string, from: number | null): void {
    hls?.destroy()
    hls = null
    details = null
    const how = playsHere(target)
    if (how === 'hls.js') {
      const listener = { refused: () => void renew(), struggling: () => (struggling.value = true), failed }
      hls = start(target, url, options.live, from, listener, options.ahead)
      listen(hls)
    } else if (how === 'native') {
      target.src = url
      if (options.autoplay) void element.begin()
    } else {
      failed()
    }
  }

  function listen(engine: Hls): void {
    engine.on(Hls.Events.MANIFEST_PARSED, (_event, { levels }) => {
      qualities.value = levels
        .map((level, index) => ({ index, height: level.height, kbps: Math.round(level.bitrate / 1000) }))
        .sort((a, b) => b.height - a.height || b.kbps - a.kbps)
      chosenQuality.value = -1
      if (options.autoplay) void element.begin()
      else status.value = 'paused'
    })
    engine.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => (shownQuality.value = level))
    engine.on(Hls.Events.LEVEL_UPDATED, (_event, updated) => {
      details = updated.details
      const { live, fragments, fragmentHint, edge } = details
      pauses.value = live ? pausesIn(fragments, fragmentHint, edge) : []
      struggling.value = false
      if (video.value) measure(video.value)
    })
    engine.on(Hls.Events.FRAG_BUFFERED, () => {
      struggling.value = false
      refusals = 0
    })
  }

  /** The api answers for the refusal: it gives a fresh address, or says why this viewer may watch no longer. */
  async function renew(): Promise<void> {
    hls?.stopLoad()
    refusals += 1
    await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 500 * 2 ** refusals)))
    await load(options.live && atLive.value ? null : media.position)
  }

  function failed(): void {
    status.value = 'failed'
  }

  /** Begins anew if it failed, unless the api said why this viewer may not watch. */
  async function recover(): Promise<void> {
    if (status.value === 'failed' && !isFinal(trouble.value)) await load()
  }

  function measure(target: HTMLVideoElement): void {
    media.position = target.currentTime
    media.start = details?.live ? details.fragmentStart : 0
    media.end = details?.live ? details.edge : Number.isFinite(target.duration) ? target.duration : 0
    targetLatency.value = hls?.targetLatency ?? USUAL_LATENCY_SECONDS
    media.bufferedTo = target.buffered.length ? target.buffered.end(target.buffered.length - 1) : 0
    if (soughtEarly !== null && media.end > media.start) {
      const position = soughtEarly
      soughtEarly = null
      seek(position)
    }
    const after = leftBehind(
      pauses.value,
      media.position,
      media.end,
      targetLatency.value + LIVE_SLACK_SECONDS,
    )
    if (after !== null && !target.seeking) target.currentTime = after
    // A live playlist that ended leaves the element waiting for the last frame's length.
    const over = details !== null && !details.live && isAtEnd(media.end, media.position)
    if (over && status.value === 'waiting') status.value = 'ended'
  }

  function seek(position: number): void {
    const target = video.value
    if (!target) return
    if (media.end <= media.start) {
      soughtEarly = position // nothing is known of the media yet: sought as soon as it is
      return
    }
    const last = options.live ? livePosition(liveWindow.value) : media.end
    target.currentTime = clampSeek(media.start, last, soughtPast(pauses.value, position))
    media.position = target.currentTime
  }

  const step = (seconds: number) => seek(stepped(pauses.value, media.position, seconds))

  function goLive(): void {
    if (!video.value) return
    video.value.currentTime = hls?.liveSyncPosition ?? livePosition(liveWindow.value)
    void element.begin()
  }

  function setQuality(index: number): void {
    chosenQuality.value = index
    if (hls) hls.nextLevel = index
  }

  watch(video, (target) => target && void load(), { immediate: true, flush: 'post' })
  onScopeDispose(() => {
    hls?.destroy()
    hls = null
  })

  /** Seconds since what is on the screen was published, to this moment; null before anything is. */
  function latency(): number | null {
    if (!video.value || !details?.live) return null
    return Math.max(0, details.edge + details.age - video.value.currentTime)
  }

  /** Seconds since anything new was published, to this moment: at the live edge, how long the class has been silent. */
  const silence = () => (details?.live ? details.age : 0)

  const clock = (position: number) => (details ? clockAt(details.fragments, position) : null)
  return {
    ...element,
    ...{
      trouble,
      struggling,
      media,
      qualities,
      chosenQuality,
      shownQuality,
      behind,
      atLive,
      pauses,
      inPause,
    },
    ...{ load, recover, seek, step, goLive, setQuality, clock, latency, silence },
  }
}
