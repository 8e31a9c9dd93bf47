"""Where alerts may be sent, in what words, and what a target that behaves badly comes to."""

import hashlib
import hmac
import json
import threading
import time
import uuid
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core import alert_channels, alert_letters, alert_sending
from core.alert_channels import Channels, Place
from core.alert_messages import Message
from core.alert_sending import NotTold
from core.buying.order_mail import Smtp
from core.errors import BadInput, RuleBroken
from tests import mail_server

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
SECRET = b"a secret for tests, thirty-two bytes or more"
HOSTS = ("hooks.example.com", "chat.example.com:8443", "10.0.0.9")
# Whatever could lead to this machine or its network, or be read in two ways (SSRF).
WRONG = """
http://hooks.example.com/x ftp://hooks.example.com/ file:///etc/passwd gopher://hooks.example.com/
//hooks.example.com/ hooks.example.com https:/hooks.example.com/ https:///x https://
HTTPS://hooks.example.com/ https://hooks.example.com:/
https://HOOKS.example.com/ https://hooks.example.com./ https://hooks.example.com:8443/ https://chat.example.com/
https://hooks.example.com:0/ https://hooks.example.com:22/ https://hooks.example.com:99999/
https://evil.example/ https://hooks.example.com.evil.example/ https://evil.example/hooks.example.com
https://xhooks.example.com/ https://sub.hooks.example.com/ https://hooks.example.co/
https://me:secret@hooks.example.com/ https://hooks.example.com@evil.example/ https://me@hooks.example.com/
https://evil.example#@hooks.example.com/ https://hooks.example.com/#x https://hooks.example.com#/
https://hooks.example.com\\@evil.example/
https://hooks.example.com\\.evil.example/ https://hooks.example.com%2eevil.example/ https://hooks%2eexample.com/
https://xn--hoks-6qa.example.com/ https://hооks.example.com/ https://ｈｏｏｋｓ.example.com/ https://hooks。example。com/
https://hooks.example.com/ä https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/ https://１２７.０.０.１/ https://１０.0.0.9/
https://127.0.0.1/ https://127.1/ https://2130706433/ https://0x7f000001/ https://0177.0.0.1/ https://0/ https://localhost/
https://169.254.169.254/ https://100.64.0.1/ https://192.0.0.8/ https://10.0.0.1/ https://10.0.0.9:22/ https://010.0.0.9/
https://[::1]/ https://[::ffff:127.0.0.1]/ https://[::ffff:169.254.169.254]/ https://[fd00::1]/ https://[fe80::1%lo]/
https://[64:ff9b::7f00:1]/ https://[2002:7f00:1::]/ https://[::127.0.0.1]/ https://user@127.0.0.1/ https://[hooks.example.com]/
""".split()  # noqa: SIM905


def news(**about) -> Message:
    values = {
        "id": 1, "uid": uuid.UUID(int=7), "alert_uid": uuid.UUID(int=8), "type": "low_stock",
        "severity": "critical", "message": "Lamp:\r\n3 on hand", "raised_at": NOW,
        "product_uid": uuid.UUID(int=9), "sku": "LMP-1",
        "product_name": "Lamp\r\nBcc: x@evil.example",
    }  # fmt: skip
    return Message(**values | about)


def of_ledger(**about) -> Message:
    return news(**{"product_uid": None, "sku": None, "product_name": None, "type": "ledger"} | about)


# -- Where to ------------------------------------------------------------------------------------------------


def test_nothing_but_the_listed_hosts_over_https_is_called():
    channels = Channels(webhook_hosts=HOSTS)
    for url in [
        *WRONG,
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\u2028x",
        "https://" + "x" * 500,
        "",
    ]:
        with pytest.raises(BadInput, match="Webhook") as refusal:
            pytest.fail(f"{url}: {alert_channels.webhook(channels, url)}")
        assert "secret" not in refusal.value.sentence
    assert alert_channels.webhook(channels, " https://hooks.example.com ") == Place(
        "hooks.example.com", 443, "/"
    )
    said = alert_channels.webhook(channels, "https://chat.example.com:8443/a/B_c?d=e%20f")
    assert said == Place("chat.example.com", 8443, "/a/B_c?d=e%20f")
    assert alert_channels.webhook(channels, "https://10.0.0.9:443?x").target == "/?x"


def test_without_a_list_no_host_is_called_and_the_refusal_says_who_makes_one():
    with pytest.raises(BadInput, match="WEBHOOK_HOSTS"):
        alert_channels.webhook(Channels(), "https://hooks.example.com/x")


def test_the_operators_part_is_read_and_what_cannot_be_meant_is_refused():
    said = alert_channels.from_environment(
        {"WEBHOOK_HOSTS": " Hooks.example.com:443, chat.example.com:8443 ,", "WEBHOOK_SECRET": "s3cret",
         "PUBLIC_URL": "https://stock.example.com/"}
    )  # fmt: skip
    assert said.webhook_hosts == ("hooks.example.com", "chat.example.com:8443")
    assert (said.smtp, said.public_url) == (None, "https://stock.example.com")
    assert said.webhook_secret == b"s3cret"
    assert "s3cret" not in repr(said)
    assert alert_channels.from_environment({}) == Channels()
    for wrong in ("https://hooks.example.com", "*", "*.example.com", "a b", "host/path", "me@host", "host:0",
                  "host:99999", "[::1]", "ｈost", "-host", "host-"):  # fmt: skip
        with pytest.raises(RuleBroken, match="WEBHOOK_HOSTS"):
            alert_channels.from_environment({"WEBHOOK_HOSTS": wrong})


def test_a_webhook_is_shown_without_what_lets_one_post_there():
    url = "https://hooks.example.com:8443/services/T0/B0/token?key=1"
    assert alert_channels.shown(url) == "https://hooks.example.com:8443/serv…"
    assert alert_channels.shown("https://hooks.example.com") == "https://hooks.example.com/…"
    assert alert_channels.host(url) == "hooks.example.com:8443"


# -- In what words -------------------------------------------------------------------------------------------


def test_a_mail_names_the_worst_first_with_links_and_lets_nothing_into_its_headers():
    some = [news(severity="warning", uid=uuid.UUID(int=1)), of_ledger(), news()]
    words = alert_letters.letter(some, "Lamps\r\n& Co", "https://stock.example.com")
    assert words.subject == "2 critical alerts and 1 other at Lamps & Co"
    first, second, third, *_ = words.text.split("\n\n")
    assert first.startswith("CRITICAL: The ledger\nLamp: 3 on hand\nhttps://stock.example.com/alerts")
    assert f"/product?id={uuid.UUID(int=9)}" in second
    assert third.startswith("WARNING: LMP-1 Lamp Bcc: x@evil.example\n")
    alone = alert_letters.letter([news(severity="info")], "Lamps", None)
    assert alone.subject == "1 info alert at Lamps"
    assert "http" not in alone.text


def test_the_same_messages_have_the_same_id_in_whatever_order():
    some = [news(), news(uid=uuid.UUID(int=1))]
    assert alert_letters.message_id(some, "x") == alert_letters.message_id(some[::-1], "x")
    assert alert_letters.message_id(some, "x") != alert_letters.message_id(some[:1], "x")


# -- A mail server that behaves badly ------------------------------------------------------------------------


@pytest.fixture
def post_office():
    with mail_server.running() as server:
        yield server


def mailed(post_office, *some, to=("a@shop.example", "b@shop.example")):
    smtp = Smtp("127.0.0.1", post_office.server_address[1], None, None, "alerts@shop.example", starttls=False)
    return alert_sending.mail(Channels(smtp=smtp), to, some or (news(),), "Łampy", NOW)


def test_one_mail_goes_to_all_and_says_that_nobody_need_answer(post_office):
    assert mailed(post_office, news(), of_ledger()) is None
    (mail,) = [message_from_bytes(one, policy=default) for one in post_office.mails]
    assert mail["To"] == "a@shop.example, b@shop.example"
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("2 critical alerts at Łampy", "auto-generated")
    assert mail["Bcc"] is None
    assert "LMP-1" in mail.get_content()


def test_an_address_that_is_refused_beside_others_is_named(post_office):
    post_office.unknown = "b@shop.example"
    assert "b@shop.example" in mailed(post_office)
    assert len(post_office.mails) == 1


@pytest.mark.parametrize("trouble", ["MAIL", "RCPT", "DATA", "silence"])
def test_what_a_mail_server_refuses_or_leaves_open_is_not_told(post_office, trouble):
    post_office.trouble = trouble
    with pytest.raises(NotTold, match="nobody knows" if trouble == "silence" else "refused"):
        mailed(post_office)


def test_without_a_mail_server_nothing_is_mailed(post_office):
    with pytest.raises(NotTold, match="SMTP_HOST"):
        alert_sending.mail(Channels(), ("a@shop.example",), (news(),), "Lamps", NOW)
    post_office.shutdown()
    post_office.server_close()
    with pytest.raises(NotTold, match="does not take mail"):
        mailed(post_office)


# -- A webhook that behaves badly ----------------------------------------------------------------------------


@pytest.fixture
def hook():
    """A server that answers what `answer` says (status, body, pause), or these pieces.

    It speaks plainly: what TLS does is http.client's affair, which `post` is handed in production.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.asked.append(
                (self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            )
            status, body, pause = server.answer
            head = f"HTTP/1.1 {status} x\r\nLocation: https://hooks.example.com/elsewhere\r\n\r\n"
            try:
                for piece in server.pieces or (head.encode(), body):
                    self.wfile.write(piece)
                    time.sleep(pause)
            except OSError:
                pass
            self.close_connection = True

        def log_message(self, *_said):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answer, server.pieces, server.daemon_threads = [], (200, b"ok", 0), None, True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def posted(hook, one=None, **about):
    def connection(host, port, timeout):
        assert (host, port) == ("hooks.example.com", 443)
        return HTTPConnection("127.0.0.1", hook.server_port, timeout=timeout)

    channels = Channels(webhook_hosts=HOSTS, public_url="https://stock.example.com", **about)
    alert_sending.post(channels, "https://hooks.example.com/in/box?k=1", one or news(), connection=connection)


def test_a_webhook_gets_the_alert_with_its_delivery_and_signature(hook):
    posted(hook, webhook_secret=SECRET)
    posted(hook, of_ledger())
    (path, headers, body), (_, plain, ledger) = hook.asked
    said = json.loads(body)
    assert path == "/in/box?k=1"
    assert headers["X-Runout-Delivery"] == str(uuid.UUID(int=7))
    assert headers["X-Runout-Signature"] == f"sha256={hmac.new(SECRET, body, hashlib.sha256).hexdigest()}"
    assert said["id"] == str(uuid.UUID(int=8))
    assert said["product"] == {"id": str(uuid.UUID(int=9)), "sku": "LMP-1", "name": news().product_name}
    assert said["url"] == f"https://stock.example.com/product?id={uuid.UUID(int=9)}"
    assert (said["type"], said["severity"], said["raised_at"]) == ("low_stock", "critical", NOW.isoformat())
    assert plain["X-Runout-Signature"] is None
    assert (json.loads(ledger)["product"], json.loads(ledger)["url"]) == (
        None,
        "https://stock.example.com/alerts",
    )


def test_an_answer_that_is_no_success_is_said_and_no_redirect_is_followed(hook):
    for status in (301, 307, 400, 404, 500, 503):
        hook.answer = (status, b"", 0)
        with pytest.raises(NotTold, match=f"hooks.example.com answered {status}") as trouble:
            posted(hook)
        assert not trouble.value.is_away
        assert "box" not in trouble.value.sentence
    assert len(hook.asked) == 6
    hook.answer = (204, b"", 0)
    posted(hook)


def test_who_took_it_may_say_as_much_and_as_slowly_as_he_likes(hook, monkeypatch):
    monkeypatch.setattr(alert_sending, "SECONDS", 0.2)
    hook.answer = (200, b"x" * 50_000, 0)
    posted(hook)
    hook.pieces, hook.answer = (b"HTTP/1.1 200 x\r\n\r\n", b"x", b"x"), (200, b"", 0.3)
    posted(hook)


def test_who_is_silent_drips_or_speaks_no_http_is_away(hook, monkeypatch):
    monkeypatch.setattr(alert_sending, "SECONDS", 0.1)
    began = time.monotonic()
    for pieces, pause in (([b"HTTP/1.1 200"], 0.3), ([b"A"] * 40, 0.05), ([b"SSH-2.0\r\n"], 0)):
        hook.pieces, hook.answer = pieces, (200, b"", pause)
        with pytest.raises(NotTold, match="does not answer") as trouble:
            posted(hook)
        assert trouble.value.is_away
    assert time.monotonic() - began < 2  # the second would have dripped on for two seconds by itself
    hook.shutdown()
    hook.server_close()
    with pytest.raises(NotTold, match="does not answer"):
        posted(hook)


def test_the_list_counts_when_it_is_sent_too(hook):
    with pytest.raises(NotTold, match="WEBHOOK_HOSTS") as trouble:
        alert_sending.post(Channels(), "https://hooks.example.com/x", news())
    assert trouble.value.is_away
    assert hook.asked == []
