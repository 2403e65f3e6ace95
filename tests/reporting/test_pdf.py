"""PDF: the same bytes from the same page, fonts in it, nothing fetched, no table runs off the paper."""

from __future__ import annotations

import contextlib
import re
import sys
import zlib

import pandas as pd
import pytest

import receivers
from running import workbench
from workbench.evidence import table
from workbench.params import UserError
from workbench.reporting import page, pdf
from workbench.words import speaking

FOOTER = 'A "bank" · 2018-03 · simulated }'


def _page(body: str) -> str:
    return f'<!doctype html><html lang="en"><head><title>t</title><style>{page.css()}</style></head><body><main>{body}</main></body></html>'


def _inside(content: bytes) -> bytes:
    """Return a PDF with its streams unpacked."""
    out = [content]
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S):
        with contextlib.suppress(zlib.error):
            out.append(zlib.decompress(packed))
    return b"\n".join(out)


def _pages(content: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", _inside(content)))


def test_the_same_page_is_the_same_pdf_with_its_fonts_in_it():
    html = _page("<h2>Portfolio</h2><p>贷款组合</p>")
    first, second = pdf.render(html, FOOTER), pdf.render(html, FOOTER)
    assert first == second and first.startswith(b"%PDF-")
    inside = _inside(first)
    assert b"CreationDate" not in inside and b"/FontFile" in inside
    fonts = set(re.findall(rb"/BaseFont\s*/([A-Za-z0-9+\-]+)", inside))
    assert {f.partition(b"+")[2].split(b"-")[0] for f in fonts} == {b"Latin", b"Chinese"}
    assert len(first) < 200_000  # the Chinese font has sixteen million bytes: what stands there is a part of it
    assert pdf.render(html, "another footer") != first


def test_nothing_is_fetched_from_outside_or_from_the_machine(tmp_path):
    (tmp_path / "secret.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    with receivers.webhooks() as server:
        outside = f"http://127.0.0.1:{server.port}/x"
        body = f'<img src="{outside}.png"><img src="{(tmp_path / "secret.svg").as_uri()}"><p style="background:url({outside})">x</p>'
        html = _page(body).replace("</head>", f'<link rel="stylesheet" href="{outside}.css"></head>')
        content = pdf.render(html, FOOTER)
        assert server.posts == [] and server.asked == []
    assert content.startswith(b"%PDF-")  # what the page names and isn't there is left out
    fetch = pdf._fetcher(pdf._library())
    for address in (outside, (tmp_path / "secret.svg").as_uri(), "file:///etc/hostname"):
        with pytest.raises(ValueError, match=r"^not fetched: "):
            fetch.fetch(address)


def test_short_tables_are_unfolded_and_long_ones_say_how_many_rows_more_there_are():
    def shown(rows: int) -> list[str]:
        html = _page(table.to_html(pd.DataFrame({"n": range(rows)})))
        boxes = [b for s in pdf.laid_out(pdf.for_paper(html, FOOTER)).pages for b in s._page_box.descendants()]
        return [b.text for b in boxes if hasattr(b, "text")]

    assert {"0", "49"} <= set(shown(50)) and not any("more rows" in text for text in shown(50))
    assert "99" not in shown(100) and "90 more rows" in " ".join(shown(100))


@pytest.mark.parametrize("columns", [3, 10, 14])
def test_a_table_does_not_run_off_the_paper_and_repeats_its_head(columns):
    rows = pd.DataFrame(
        [[1234.5678 + i for i in range(columns)]] * 60, columns=[f"observed_rate_{i}" for i in range(columns)]
    )
    html = pdf.for_paper(_page(f'<div class="output">{table.to_html(rows)}</div>'), FOOTER)
    sheets = pdf.laid_out(html).pages
    assert len(sheets) > 1  # folded rows stand there, too
    heads = 0
    for sheet in sheets:
        boxes = list(sheet._page_box.descendants())
        tables = [b for b in boxes if b.element_tag == "table" and hasattr(b, "column_widths")]
        heads += sum(b.element_tag == "thead" for b in boxes)
        assert all(b.position_x + b.width <= sheet.width - 40 for b in tables)
    assert heads >= len(sheets)


def test_the_first_chapter_of_a_pack_has_a_page_of_its_own():
    html = _page("<h2>Headlines</h2><p>x</p><h2>The book</h2><p>y</p>")
    assert (_pages(pdf.render(html, FOOTER, front=True)), _pages(pdf.render(html, FOOTER))) == (2, 1)


def test_a_footer_is_text_whatever_it_holds():
    escaped = pdf._string('"}@page{size:A5}\n')
    assert escaped.startswith('"') and escaped.endswith('"')
    assert re.fullmatch(r"(\w|\\[0-9A-F]{6} )+", escaped[1:-1])
    assert _pages(pdf.render(_page("<p>x</p>"), '"; } @page { size: 1mm } "')) == 1


def test_without_pango_command_and_doctor_say_so_in_one_line(sample_home, monkeypatch):
    line = (
        "PDF: Pango is not there; install your system's package of it (Debian: libpango-1.0-0 libpangoft2-1.0-0 "
        "libharfbuzz-subset0)"
    )
    pdf._library.cache_clear()
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    try:
        with pytest.raises(UserError) as e:
            pdf.render(_page(""), FOOTER)
        assert str(e.value) == line == pdf.missing()
        done = workbench(sample_home, "pdf", "sample", "panel/build")
        assert (done.returncode, done.stderr) == (2, f"workbench: {line}\n")
        assert f"BAD  {line}" in workbench(sample_home, "doctor").stdout.replace("\n     ", " ")
    finally:
        pdf._library.cache_clear()


def test_a_page_of_a_study_as_pdf_in_both_languages(sample_home):
    done = workbench(sample_home, "pdf", "sample", "panel/build")
    assert done.returncode == 0, done.stderr
    english = sample_home / "reports/sample/once/panel/build.pdf"
    assert english.read_bytes().startswith(b"%PDF-") and english.name in done.stdout
    assert workbench(sample_home, "pdf", "sample", "panel/build", "--lang", "zh_CN").returncode == 0
    assert (sample_home / "reports/zh_CN/sample/once/panel/build.pdf").stat().st_size > 10_000
    english.unlink()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("nowhere",), "study 'nowhere' has no finished run; `workbench run nowhere` makes one"),
        (("sample", "panel/bild"), "study 'sample' has no finished step 'panel/bild'; did you mean 'panel/build'?"),
        (("sample", "--period", "2018-03"), "study 'sample' has no page of period 2018-03; known: once"),
    ],
)
def test_what_can_not_be_printed_is_one_line(sample_home, words, line):
    done = workbench(sample_home, "pdf", *words)
    assert (done.returncode, done.stderr) == (2, f"workbench: {line}\n")


def test_lights_in_a_table_have_their_colour_and_word():
    lights = pd.DataFrame({"light": ["red", "<b>"], "x": ["red", "y"]})
    html = table.to_html(lights)
    assert html.count('<span class="light red">red</span>') == 1 and "&lt;b&gt;" in html
    with speaking("zh_CN"):
        assert '<span class="light red">红灯</span>' in table.to_html(lights)
