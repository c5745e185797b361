// Server-sent events out of a byte stream, by the rules of the HTML standard.

/** Feed it chunks cut anywhere, also inside a character; it calls back once per whole event. */
export class SseParser {
  constructor(onEvent) {
    this.onEvent_ = onEvent;
    this.decoder_ = new TextDecoder('utf-8');
    this.buffer_ = '';
    this.data_ = [];
    this.event_ = '';
  }

  push(bytes) {
    this.buffer_ += this.decoder_.decode(bytes, { stream: true });
    this.drain_(false);
  }

  /** The stream ended: an event without its blank line is incomplete and is dropped. */
  end() {
    this.buffer_ += this.decoder_.decode();
    this.drain_(true);
  }

  drain_(atEnd) {
    for (;;) {
      const match = /\r\n|\n|\r/.exec(this.buffer_);
      if (!match) return;
      // A CR in the last place may be the first half of a CRLF that is still on its way.
      if (match[0] === '\r' && match.index === this.buffer_.length - 1 && !atEnd) return;
      const line = this.buffer_.slice(0, match.index);
      this.buffer_ = this.buffer_.slice(match.index + match[0].length);
      this.line_(line);
    }
  }

  line_(line) {
    if (line === '') {
      if (this.data_.length > 0) {
        this.onEvent_({ event: this.event_ || 'message', data: this.data_.join('\n') });
      }
      this.data_ = [];
      this.event_ = '';
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;  // a comment, used as a heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data_.push(value);
    else if (field === 'event') this.event_ = value;
  }
}
