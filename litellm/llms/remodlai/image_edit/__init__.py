from .transformation import HostedLexiqNovaImageEditConfig, LexiqNovaImageEditConfig

__all__ = ("HostedLexiqNovaImageEditConfig", "LexiqNovaImageEditConfig")


def get_remodlai_image_edit_config(model: str | None) -> HostedLexiqNovaImageEditConfig:
    return HostedLexiqNovaImageEditConfig()


def get_lexiq_nova_image_edit_config(model: str | None) -> LexiqNovaImageEditConfig:
    return LexiqNovaImageEditConfig()
