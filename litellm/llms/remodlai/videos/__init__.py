from .transformation import HostedLexiqNovaVideoConfig, LexiqNovaVideoConfig

__all__ = ("HostedLexiqNovaVideoConfig", "LexiqNovaVideoConfig")


def get_remodlai_video_config(model: str | None) -> HostedLexiqNovaVideoConfig:
    return HostedLexiqNovaVideoConfig()


def get_lexiq_nova_video_config(model: str | None) -> LexiqNovaVideoConfig:
    return LexiqNovaVideoConfig()
