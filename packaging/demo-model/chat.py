"""The chat format: ChatML, as a Jinja template for the server and in Python for training."""

END_OF_TEXT = "<|endoftext|>"
IM_START = "<|im_start|>"
IM_END = "<|im_end|>"
SPECIAL_TOKENS = (END_OF_TEXT, IM_START, IM_END)

DEFAULT_SYSTEM_PROMPT = "You are Hearth, a helpful assistant."

# A conversation without a system message gets the default one, as in Qwen2.5.
CHAT_TEMPLATE = (
    "{%- if messages[0]['role'] != 'system' %}\n"
    "    {{- '<|im_start|>system\\n" + DEFAULT_SYSTEM_PROMPT + "<|im_end|>\\n' }}\n"
    "{%- endif %}\n"
    "{%- for message in messages %}\n"
    "    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n"
    "    {{- '<|im_start|>assistant\\n' }}\n"
    "{%- endif %}\n"
)


def render(messages: list[dict[str, str]], add_generation_prompt: bool) -> str:
    """What CHAT_TEMPLATE gives; evaluate.py compares the two where python3-jinja2 is installed."""
    text = ""
    if messages[0]["role"] != "system":
        text += f"{IM_START}system\n{DEFAULT_SYSTEM_PROMPT}{IM_END}\n"
    for message in messages:
        text += f"{IM_START}{message['role']}\n{message['content']}{IM_END}\n"
    if add_generation_prompt:
        text += f"{IM_START}assistant\n"
    return text
