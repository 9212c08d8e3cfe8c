// Publishing from the browser (WHIP, RFC 9725): one offer posted with the key, one answer, and a DELETE to end.

export class WhipRefused extends Error {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {
    super(`whip ${status}`)
    this.name = 'WhipRefused'
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
      peer.close()
      throw error
    }
  }

  private async exchange(offer: string): Promise<void> {
    const answer = await fetch(this.options.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${this.options.key}` },
      body: offer,
    })
    const text = await answer.text()
    if (answer.status !== 201) throw new WhipRefused(answer.status, asJson(text))
    this.resource = resourceAddress(this.options.url, answer.headers.get('Location'))
    await this.peer.setRemoteDescription({ type: 'answer', sdp: text })
    const transport = this.peer.getSenders()[0]?.transport
    if (transport) transport.onstatechange = () => this.transportChanged(transport.state)
  }

  /** A goodbye of the server's (DTLS close_notify) shows here; the connection's own state takes half a minute. */
  private transportChanged(state: RTCDtlsTransportState): void {
    if (state !== 'closed') return
    this.resource = null // gone with it
    this.options.onHungUp()
  }

  /**
   * Ends the publish: first said, then done, so that the server does not take it for lost. It notices by itself too, so
   * a failed DELETE is no trouble. `keepalive` lets it out of a page that is being left.
   */
  async stop(): Promise<void> {
    this.peer.onconnectionstatechange = null
    const transport = this.peer.getSenders()[0]?.transport
    if (transport) transport.onstatechange = null
    for (const track of this.options.stream.getTracks()) track.stop()
    const { resource } = this
    this.resource = null
    if (resource) {
      // The answer is read to its end, or the browser calls the request aborted.
      await fetch(resource, {
        method: 'DELETE',
        headers: { Authorization: `Bearer ${this.options.key}` },
        keepalive: true,
        signal: AbortSignal.timeout(GOODBYE_MS),
      })
        .then((answer) => answer.text())
        .catch(() => undefined)
    }
    this.peer.close()
  }
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
