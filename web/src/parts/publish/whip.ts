// Publishing from the browser (WHIP, RFC 9725): one offer posted with the key, one answer, and a DELETE to end. What is
// captured is not this file's to stop: it may go on in the next publish.
import { problemFrom } from '@/api/problems'

export class WhipRefused extends Error {
  constructor(
    readonly status: number,
    readonly body: unknown,
    /** When the server wants to be asked again, from now. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(`whip ${status}`)
    this.name = 'WhipRefused'
  }

  get code(): string {
    return problemFrom(this.status, this.body).code
  }
}

export interface WhipOptions {
  url: string
  key: string
  stream: MediaStream
  onState: (state: RTCPeerConnectionState) => void
  /** The server hung up: the session was ended, or the publish was. */
  onHungUp: () => void
}

/** Most networks answer long before; a browser that is still gathering by then publishes with what it has. */
const GATHERING_MS = 2000
/** A server answers an offer within moments, or says that it is too busy. */
const ANSWER_MS = 15_000
/** A server that has not answered a DELETE by then will find out by itself. */
const GOODBYE_MS = 2000

export class WhipPublisher {
  private resource: string | null = null

  private constructor(
    private readonly peer: RTCPeerConnection,
    private readonly options: WhipOptions,
  ) {}

  /** Resolves when the answer is set; media then flows as soon as the peers have met. */
  static async start(options: WhipOptions): Promise<WhipPublisher> {
    const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
    const publisher = new WhipPublisher(peer, options)
    peer.onconnectionstatechange = () => options.onState(peer.connectionState)
    try {
      for (const track of options.stream.getTracks()) await addTrack(peer, track, options.stream)
      await peer.setLocalDescription(await peer.createOffer())
      await gathered(peer)
      await publisher.exchange(peer.localDescription?.sdp ?? '')
      return publisher
    } catch (error) {
      await publisher.stop()
      throw error
    }
  }

  private async exchange(offer: string): Promise<void> {
    const answer = await fetch(this.options.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${this.options.key}` },
      body: offer,
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    const text = await answer.text()
    if (answer.status !== 201) {
      const again = retryAfterMs(answer.headers.get('Retry-After'), Date.now())
      throw new WhipRefused(answer.status, asJson(text), again)
    }
    this.resource = resourceAddress(this.options.url, answer.headers.get('Location'))
    await this.peer.setRemoteDescription({ type: 'answer', sdp: text })
    const transport = this.peer.getSenders()[0]?.transport
    if (transport) transport.onstatechange = () => this.transportChanged(transport.state)
  }

  /** A goodbye of the server's (DTLS close_notify) shows here; the connection's own state takes half a minute. */
  private transportChanged(state: RTCDtlsTransportState): void {
    if (state === 'closed') this.options.onHungUp()
  }

  /**
   * Ends the publish: first said, then done, so that the server does not take it for lost. It notices by itself too, so
   * a failed DELETE is no trouble. `keepalive` lets it out of a page that is being left. True where the server says that
   * somebody had ended this publish already, who would not want it back.
   */
  async stop(): Promise<boolean> {
    this.peer.onconnectionstatechange = null
    const transport = this.peer.getSenders()[0]?.transport
    if (transport) transport.onstatechange = null
    const { resource } = this
    this.resource = null
    const ended = resource !== null && (await this.goodbye(resource))
    this.peer.close()
    return ended
  }

  private async goodbye(resource: string): Promise<boolean> {
    try {
      const answer = await fetch(resource, {
        method: 'DELETE',
        headers: { Authorization: `Bearer ${this.options.key}` },
        keepalive: true,
        signal: AbortSignal.timeout(GOODBYE_MS),
      })
      await answer.text() // to its end, or the browser calls the request aborted
      return answer.status === 410
    } catch {
      return false
    }
  }
}

/** Retry-After (RFC 9110 §10.2.3), seconds or a date, as milliseconds from `now`; null where it says neither. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (!header) return null
  const at = /^\d+$/.test(header.trim()) ? now + Number(header) * 1000 : Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}

export function resourceAddress(endpoint: string, location: string | null): string | null {
  return location ? new URL(location, endpoint).href : null
}

async function addTrack(
  peer: RTCPeerConnection,
  track: MediaStreamTrack,
  stream: MediaStream,
): Promise<void> {
  const transceiver = peer.addTransceiver(track, {
    direction: 'sendonly',
    streams: [stream],
    ...(track.kind === 'video' ? { sendEncodings: [{ maxBitrate: 2_500_000 }] } : {}),
  })
  const wanted = preferred(RTCRtpSender.getCapabilities(track.kind)?.codecs ?? [], track.kind)
  if (wanted.length) transceiver.setCodecPreferences(wanted)
  if (track.kind === 'video') await keepSize(transceiver.sender, track)
}

/**
 * What is taught is read: on a slow line or machine fewer pictures, not smaller ones. Each new size would also be a
 * break to viewers. Browsers that know neither way decide by themselves.
 */
async function keepSize(sender: RTCRtpSender, track: MediaStreamTrack): Promise<void> {
  track.contentHint = 'detail'
  const parameters = sender.getParameters()
  parameters.degradationPreference = 'maintain-resolution'
  await sender.setParameters(parameters).catch(() => undefined)
}

/** H.264 and Opus first: what the packager takes without decoding. Retransmission entries must stay in the list. */
export function preferred<T extends { mimeType: string; sdpFmtpLine?: string | undefined }>(
  codecs: T[],
  kind: string,
): T[] {
  if (kind === 'audio') return codecs.filter((codec) => codec.mimeType === 'audio/opus')
  const wanted = codecs.filter(
    (codec) => codec.mimeType === 'video/H264' && codec.sdpFmtpLine?.includes('packetization-mode=1'),
  )
  return wanted.length ? [...wanted, ...codecs.filter((codec) => codec.mimeType === 'video/rtx')] : []
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHERING_MS)
    peer.addEventListener('icegatheringstatechange', () => {
      if (peer.iceGatheringState !== 'complete') return
      clearTimeout(timer)
      resolve()
    })
  })
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
