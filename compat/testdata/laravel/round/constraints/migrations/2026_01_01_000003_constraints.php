<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up()
    {
        Schema::table('orders', function (Blueprint $table) {
            $table->foreign('user_id', 'orders_user_id_fkey')->references('id')->on('users');
        });
        DB::statement('alter table orders add constraint orders_amount_check check (amount >= 0)');
        Schema::table('orders', function (Blueprint $table) {
            $table->bigInteger('user_id')->nullable(false)->change();
        });
    }

    public function down()
    {
        Schema::table('orders', function (Blueprint $table) {
            $table->bigInteger('user_id')->nullable()->change();
        });
        DB::statement('alter table orders drop constraint orders_amount_check');
        Schema::table('orders', function (Blueprint $table) {
            $table->dropForeign('orders_user_id_fkey');
        });
    }
};
