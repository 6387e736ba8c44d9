{capture name="mainbox"}
{$format = "`$settings.Appearance.date_format`, `$settings.Appearance.time_format`"}

{if $cartbridge.turned_away}
    <div class="alert alert-error">
        {__("cartbridge.turned_away", ["[count]" => $cartbridge.turned_away, "[max]" => $cartbridge.max_pending, "[owed]" => $cartbridge.owed])}
        <form action="{""|fn_url}" method="post">
            <input type="submit" class="btn" name="dispatch[cartbridge.forget_turned_away]" value="{__("cartbridge.seen")}" />
        </form>
    </div>
{/if}
{if $cartbridge.full && !$cartbridge.turned_away}<div class="alert alert-error">{__("cartbridge.full", ["[max]" => $cartbridge.max_pending])}</div>{/if}
{if $cartbridge.late}<div class="alert">{__("cartbridge.late", ["[minutes]" => $cartbridge.oldest_minutes])}</div>{/if}
{if $cartbridge.damaged}<div class="alert alert-error">{__("cartbridge.damaged")}</div>{/if}
{if $cartbridge.in_clear}<div class="alert">{__("cartbridge.in_clear")}</div>{/if}
{if $cartbridge.record_error}
    <div class="alert alert-error">
        {__("cartbridge.record_error")}: {$cartbridge.record_error}
        <form action="{""|fn_url}" method="post">
            <input type="submit" class="btn" name="dispatch[cartbridge.forget_turned_away]" value="{__("cartbridge.seen")}" />
        </form>
    </div>
{/if}

{include file="common/subheader.tpl" title=__("cartbridge.connection")}
<form action="{""|fn_url}" method="post" class="form-horizontal form-edit">
    {if $cartbridge.connected}
        <p>{__("cartbridge.connected_with", ["[url]" => $cartbridge.url, "[connection]" => $cartbridge.connection])}</p>
        <input type="submit" class="btn btn-primary" name="dispatch[cartbridge.test]" value="{__("cartbridge.send_test")}" />
        <input type="submit" class="btn" name="dispatch[cartbridge.send]" value="{__("cartbridge.send_now")}" />
        <input type="submit" class="btn cm-confirm" name="dispatch[cartbridge.disconnect]" value="{__("cartbridge.disconnect")}" />
    {/if}
    <div class="control-group">
        <label class="control-label" for="cartbridge_code">{__("cartbridge.code")}</label>
        <div class="controls">
            <textarea id="cartbridge_code" name="code" rows="3" class="input-large" autocomplete="off" placeholder="cb1_..."></textarea>
            <p class="muted">{__("cartbridge.code_hint")}</p>
            <input type="submit" class="btn" name="dispatch[cartbridge.connect]" value="{__("cartbridge.connect")}" />
        </div>
    </div>
</form>

{include file="common/subheader.tpl" title=__("cartbridge.status")}
<table class="table">
    <caption class="muted">{__("cartbridge.status_hint")}</caption>
    <tr>
        <th scope="row">{__("cartbridge.pending")}</th>
        <td>
            {if $cartbridge.outbox.pending > $cartbridge.counted}
                {__("cartbridge.more_than", ["[count]" => $cartbridge.counted, "[most]" => $cartbridge.outbox.pending_at_most])}
            {else}
                {$cartbridge.outbox.pending}
            {/if}
            ({__("cartbridge.size", ["[bytes]" => $cartbridge.outbox.bytes])}; {__("cartbridge.oldest", ["[minutes]" => $cartbridge.oldest_minutes])})
        </td>
    </tr>
    {foreach ["refused", "sent"] as $name}
    <tr><th scope="row">{__("cartbridge.`$name`")}</th><td>{if $cartbridge.outbox.$name > $cartbridge.counted}&gt; {$cartbridge.counted}{else}{$cartbridge.outbox.$name}{/if}</td></tr>
    {/foreach}
    <tr><th scope="row">{__("cartbridge.last_success")}</th><td>{if $cartbridge.last_success_at}{$cartbridge.last_success_at|date_format:$format}{else}-{/if}</td></tr>
    <tr><th scope="row">{__("cartbridge.last_cron")}</th><td>{if $cartbridge.last_cron_at}{$cartbridge.last_cron_at|date_format:$format}{else}{__("cartbridge.no_cron")}{/if}</td></tr>
    {if $cartbridge.failure}<tr><th scope="row">{__("cartbridge.last_failure")}</th><td>{$cartbridge.failure.at|date_format:$format}: {$cartbridge.failure.reason}</td></tr>{/if}
    {if $cartbridge.paused_until}<tr><th scope="row">{__("cartbridge.paused_until")}</th><td>{$cartbridge.paused_until|date_format:$format}</td></tr>{/if}
    <tr><th scope="row">{__("cartbridge.version")}</th><td>{$cartbridge.version}</td></tr>
</table>

{if $cartbridge.troubles}
{include file="common/subheader.tpl" title=__("cartbridge.troubles")}
<form action="{""|fn_url}" method="post">
<table class="table">
    <caption class="muted">{__("cartbridge.troubles_hint")}</caption>
    <thead><tr><th scope="col">{__("cartbridge.resend")}</th><th scope="col">{__("cartbridge.event")}</th><th scope="col">{__("cartbridge.subject")}</th><th scope="col">{__("cartbridge.attempts")}</th><th scope="col">{__("cartbridge.next")}</th><th scope="col">{__("error")}</th></tr></thead>
    {foreach $cartbridge.troubles as $row}
    <tr>
        <td><input type="checkbox" name="event_ids[]" value="{$row.event_id}" aria-label="{$row.type} {$row.lane}" /></td>
        <td>{$row.type}</td><td>{$row.lane}</td><td>{$row.attempts}</td>
        <td>{if $row.state == "R"}{__("cartbridge.given_up")}{elseif $row.next_attempt_at}{$row.next_attempt_at|date_format:$format}{else}-{/if}</td>
        <td>{$row.last_status} {$row.last_error}</td>
    </tr>
    {/foreach}
</table>
<input type="submit" class="btn" name="dispatch[cartbridge.resend]" value="{__("cartbridge.resend")}" />
</form>
{/if}

{include file="common/subheader.tpl" title=__("cartbridge.resend_since_title")}
<form action="{""|fn_url}" method="post">
    <p>{__("cartbridge.resend_since_hint", ["[days]" => $cartbridge.settings.keep_sent_days])}</p>
    <p>
        <label for="cartbridge_hours">{__("cartbridge.hours")}</label>
        <input type="number" id="cartbridge_hours" name="hours" min="1" value="24" />
        <input type="submit" class="btn" name="dispatch[cartbridge.resend_since]" value="{__("cartbridge.resend")}" />
    </p>
</form>

{include file="common/subheader.tpl" title=__("settings")}
<form action="{""|fn_url}" method="post" class="form-horizontal form-edit">
    <div class="control-group">
        <label class="control-label" for="cartbridge_after">{__("cartbridge.send_after_response")}</label>
        <div class="controls">
            <input type="hidden" name="settings[send_after_response]" value="N" />
            <input type="checkbox" id="cartbridge_after" name="settings[send_after_response]" value="Y" {if $cartbridge.settings.send_after_response == "Y"}checked="checked"{/if} />
        </div>
    </div>
    {foreach ["max_pending", "keep_sent_days", "cart_minutes"] as $name}
    <div class="control-group">
        <label class="control-label" for="cartbridge_{$name}">{__("cartbridge.`$name`")}</label>
        <div class="controls"><input type="text" id="cartbridge_{$name}" name="settings[{$name}]" value="{$cartbridge.settings.$name}" /></div>
    </div>
    {/foreach}
    <input type="submit" class="btn" name="dispatch[cartbridge.settings]" value="{__("save")}" />
</form>

{include file="common/subheader.tpl" title=__("cartbridge.addresses")}
<p>{__("cartbridge.cron_hint")}</p>
<pre>* * * * * php {$config.dir.root}/index.php --dispatch=cartbridge_cron.send
{$cartbridge.cron_url}</pre>
<p>{__("cartbridge.calls_hint")}</p>
<pre>{$cartbridge.calls_url}</pre>
{/capture}
{include file="common/mainbox.tpl" title=__("cartbridge.menu_title") content=$smarty.capture.mainbox}
